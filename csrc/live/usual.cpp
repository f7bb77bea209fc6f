// Tells usual pieces from others by the fields of their arrays.
#include "csrc/live/usual.h"

#include <algorithm>
#include <cstdint>

namespace bindrt::live {
namespace {

// Rows of an array: its first axis, behind which numbers lie side by side.
std::optional<Rows> rows_of(const Fields& array) {
  auto size = static_cast<std::ptrdiff_t>(array.item);
  for (int axis = array.axes - 1; axis > 0; --axis) {
    if (array.strides[axis] != size && array.shape[axis] > 1) {
      return std::nullopt;
    }
    size *= array.shape[axis];
  }
  return Rows{array.data, array.shape[0], static_cast<std::size_t>(size), array.strides[0]};
}

// Blocks: [n] as one row, [rows, n] as they are.
std::optional<Rows> channels_of(const Fields& array, std::ptrdiff_t rows) {
  const auto item = static_cast<std::ptrdiff_t>(array.item);
  if (array.axes == 0 || array.shape[array.axes - 1] < 1) {
    return std::nullopt;
  }
  if (array.axes == 1 && rows == 1 && (array.strides[0] == item || array.shape[0] == 1)) {
    return Rows{array.data, 1, static_cast<std::size_t>(array.shape[0] * item), 0};
  }
  return array.axes == 2 && array.shape[0] == rows ? rows_of(array) : std::nullopt;
}

std::optional<Rows> frame(const Fields& array, const std::vector<std::ptrdiff_t>& shape) {
  const bool is_shape =
      array.axes == static_cast<int>(shape.size()) && std::equal(shape.begin(), shape.end(), array.shape);
  return is_shape ? rows_of(array) : std::nullopt;
}

std::optional<double> seconds_of(const Moment& time) {
  return time.kind == Moment::Kind::kSeconds ? std::optional(time.seconds) : std::nullopt;
}

// Times [n] that can be read where they are.
bool are_times(const Fields& times, std::ptrdiff_t count) {
  return times.axes == 1 && times.shape[0] == count && count > 0 &&
         (times.strides[0] == sizeof(double) || count == 1) &&
         reinterpret_cast<std::uintptr_t>(times.data) % alignof(double) == 0;
}

// Samples [6, n] with times [n], or one sample [6] with its time.
std::optional<Pushed> samples(const Fields& array, const Moment& time, std::ptrdiff_t numbers) {
  if (array.axes == 1 && array.shape[0] == numbers) {
    const auto seconds = seconds_of(time);
    Pushed found{{array.data, numbers, array.item, array.strides[0]}};
    found.time_bytes = sizeof(double);
    found.time = found.newest = seconds;
    return seconds ? std::optional(found) : std::nullopt;
  }
  if (array.axes != 2 || array.shape[0] != numbers || time.kind != Moment::Kind::kTimes ||
      !are_times(time.times, array.shape[1])) {
    return std::nullopt;
  }
  const auto rows = rows_of(array);
  if (!rows) {
    return std::nullopt;
  }
  Pushed found{*rows, array.shape[1]};
  found.time_bytes = static_cast<std::size_t>(found.count) * sizeof(double);
  found.times = reinterpret_cast<const double*>(time.times.data);
  found.newest = found.times[found.count - 1];
  return found;
}

}  // namespace

std::optional<Pushed> Usual::look(const Fields& array, const Moment& time) const {
  if (type == nullptr || array.type != type) {
    return std::nullopt;
  }
  if (kind == PieceKind::kSamples) {
    return samples(array, time, shape[0]);
  }
  if (time.kind == Moment::Kind::kNone ? !may_have_no_time : time.kind != Moment::Kind::kSeconds) {
    return std::nullopt;
  }
  const bool are_blocks = kind == PieceKind::kBlocks;
  const auto rows = are_blocks ? channels_of(array, shape[0]) : frame(array, shape);
  if (!rows) {
    return std::nullopt;
  }
  Pushed found{*rows, are_blocks ? array.shape[array.axes - 1] : 1};
  found.time = found.newest = seconds_of(time);
  return found;
}

}  // namespace bindrt::live
