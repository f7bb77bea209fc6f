// Inertial samples in arrays; runtime/bindrt/modalities/imu.py says what an item means.
#include "kernels/imu/imu.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numbers>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "csrc/prepare/arrays.h"
#include "csrc/prepare/decoded_imu.h"
#include "csrc/prepare/imu_numbers.h"
#include "csrc/prepare/options.h"
#include "csrc/prepare/registry.h"
#include "kernels/resample/audio_view.h"

namespace bindrt::prepare {
namespace {

using kernels::ImuSamples;
using kernels::ImuTimes;
using Kind = Array::Kind;

struct Units {
  double accel = 1.0;  // what samples are multiplied by
  double gyro = 1.0;
  bool in_metres = true;  // the accelerometer's, in m/s²
};

// Reads the units; refuses unknown ones and two that differ.
Units read_units(Options& options) {
  const auto accel = options.text("accel_unit");
  const auto brief = options.text("unit");
  const auto gyro = options.text("gyro_unit");
  if (accel && brief && *accel != *brief) {
    options.refuse();
  }
  const std::string_view unit = accel.value_or(brief.value_or("m/s2"));
  if ((unit != "m/s2" && unit != "g") || (gyro && *gyro != "rad/s" && *gyro != "deg/s")) {
    options.refuse();
  }
  return {unit == "g" ? kStandardGravity : 1.0, gyro == "deg/s" ? std::numbers::pi / 180 : 1.0, unit != "g"};
}

// Times that had to be copied: from a device, or to a wider type.
struct HostTimes {
  std::unique_ptr<std::byte[]> given;
  std::unique_ptr<std::uint64_t[]> widened;
};

// The times on the host. Those on a device are looked at here, as all are: this waits until they are written,
// and no longer. Nothing if they do not come.
std::optional<Array> on_host(const Array& times, HostTimes& memory) {
  if (times.lent == nullptr) {
    return times;
  }
  memory.given = std::make_unique_for_overwrite<std::byte[]>(times.lent->bytes());
  if (!times.lent->read(memory.given.get())) {
    return std::nullopt;
  }
  Array here = times;
  here.data = memory.given.get();
  here.lent = nullptr;
  return here;
}

// The same with whole numbers of 64 bits.
Array widened(const Array& times, HostTimes& memory) {
  if (times.kind == Kind::kFloat || times.bits == 64) {
    return times;
  }
  const auto count = static_cast<std::size_t>(times.shape[0]);
  memory.widened = std::make_unique_for_overwrite<std::uint64_t[]>(count);
  with_numbers(times, [&](const auto* values) {
    std::copy_n(values, count, memory.widened.get());  // negative ones wrap, and are read as signed again
  });
  Array wide = times;
  wide.data = memory.widened.get();
  wide.bits = 64;
  return wide;
}

// The times of `count` samples, from a rate or an array; nothing for any other.
std::optional<ImuTimes> read_times(std::optional<double> rate, const Array* listed, std::int64_t count,
                                   HostTimes& memory) {
  if (rate.has_value() == (listed != nullptr)) {
    return std::nullopt;
  }
  if (rate) {
    return ImuTimes{ImuTimes::Type::kRate, *rate, nullptr};
  }
  const auto here =
      listed->shape == std::vector<std::int64_t>{count} ? on_host(*listed, memory) : std::nullopt;
  if (!here) {
    return std::nullopt;
  }
  const Array times = widened(*here, memory);
  constexpr std::pair<std::pair<Kind, int>, ImuTimes::Type> kTypes[] = {
      {{Kind::kFloat, 32}, ImuTimes::Type::kFloat32},
      {{Kind::kFloat, 64}, ImuTimes::Type::kFloat64},
      {{Kind::kInt, 64}, ImuTimes::Type::kInt64},
      {{Kind::kUint, 64}, ImuTimes::Type::kUint64},
  };
  for (const auto& [kind, type] : kTypes) {
    if (is(times, kind.first, kind.second)) {
      return ImuTimes{type, 0.0, times.data};
    }
  }
  return std::nullopt;
}

// Whether the times are without fault and long enough. A sample lasts one period, of which only a rate tells.
bool are_good(const kernels::ImuTimeReport& report, const ImuTimes& times, double min_seconds) {
  const double needed = min_seconds - kImuEpsilon;
  const double period = times.type == ImuTimes::Type::kRate ? 1.0 / times.rate : 0.0;
  return report.not_finite == 0 && report.unordered < 0 && report.gap < 0 &&
         (report.last >= needed || report.last + period >= needed);
}

// The first `used` samples of each channel where they are; nothing for numbers of other types: half floats.
std::optional<ImuSamples> samples_of(const Array& array, std::int64_t used) noexcept {
  using Type = ImuSamples::Type;
  constexpr std::pair<std::pair<Kind, int>, Type> kTypes[] = {
      {{Kind::kFloat, 32}, Type::kFloat32}, {{Kind::kFloat, 64}, Type::kFloat64},
      {{Kind::kInt, 8}, Type::kInt8},       {{Kind::kUint, 8}, Type::kUint8},
      {{Kind::kInt, 16}, Type::kInt16},     {{Kind::kUint, 16}, Type::kUint16},
      {{Kind::kInt, 32}, Type::kInt32},     {{Kind::kUint, 32}, Type::kUint32},
      {{Kind::kInt, 64}, Type::kInt64},     {{Kind::kUint, 64}, Type::kUint64},
  };
  for (const auto& [kind, type] : kTypes) {
    if (is(array, kind.first, kind.second)) {
      return ImuSamples{array.data, type, used, array.shape[1], 1};
    }
  }
  return std::nullopt;
}

// Mean and deviation of each channel, six numbers each, as `standardize` has them. Refuses any others.
struct Standard {
  std::vector<double> mean, deviation;
};

std::optional<Standard> read_standard(Options& options) {
  auto lists = options.lists("standardize");
  if (!lists) {
    return std::nullopt;
  }
  const auto fits = [](const std::vector<double>& list) {
    return list.size() == kernels::kImuChannels &&
           std::ranges::all_of(list, [](double number) { return std::isfinite(number); });
  };
  if (lists->size() != 2 || !std::ranges::all_of(*lists, fits) ||
      !std::ranges::all_of(lists->at(1), [](double number) { return number > 0; })) {
    options.refuse();
    return std::nullopt;
  }
  return Standard{std::move(lists->at(0)), std::move(lists->at(1))};
}

kernels::ImuOptions grid_options(const Units& units, const std::optional<Standard>& standard) {
  kernels::ImuOptions grid;
  grid.gain = {units.accel, units.accel, units.accel, units.gyro, units.gyro, units.gyro};
  for (std::size_t channel = 0; standard && channel < grid.gain.size(); ++channel) {
    grid.gain[channel] /= standard->deviation[channel];
    grid.offset[channel] = -standard->mean[channel] / standard->deviation[channel];
  }
  return grid;
}

constexpr int kSparse = 20;  // every so many steps are enough for a mean

// The mean length of the first three channels' vector at steps 0, `every`, … of `input` [channels, steps].
double mean_magnitude(const float* input, int steps, int every) noexcept {
  double sum = 0;
  for (int step = 0; step < steps; step += every) {
    double square = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const double value = input[axis * steps + step];
      square += value * value;
    }
    sum += std::sqrt(square);
  }
  return sum / (steps / every);
}

// As Python's round(number, 3).
double rounded(double number) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", number);
  return std::strtod(text, nullptr);
}

}  // namespace

double mean_acceleration(const float* input) noexcept {
  return mean_magnitude(input, kernels::kImuSteps, kSparse);
}

std::optional<Prepared> prepare_imu(const Item& item, const Limits&, Slots& slots) {
  const auto* const samples = std::get_if<Array>(&item.source);
  if (samples == nullptr || samples->shape.size() != 2 || samples->shape[0] != kernels::kImuChannels ||
      samples->shape[1] < 2) {
    return std::nullopt;
  }
  const std::int64_t count = samples->shape[1];
  Options options(item);
  const Units units = read_units(options);
  const std::optional<Standard> standard = read_standard(options);
  const double max_gap = options.positive("max_gap").value_or(kImuMaxGap);
  const double min_seconds = options.positive("min_seconds").value_or(kImuMinSeconds);
  const auto rate = options.positive("rate");
  const Array* const listed = options.array("timestamps");
  HostTimes memory;
  const auto times = options.usual() ? read_times(rate, listed, count, memory) : std::nullopt;
  if (!times) {
    return std::nullopt;
  }
  const kernels::ImuTimeReport report = kernels::check_imu_times(*times, count, max_gap);
  if (!are_good(report, *times, min_seconds)) {
    return std::nullopt;
  }
  const kernels::ImuOptions grid = grid_options(units, standard);
  const auto used = samples_of(*samples, report.used);
  if (!used) {
    return std::nullopt;
  }
  if (samples->lent != nullptr) {
    return leave_lent_imu(*used, *times, grid, samples->lent, slots) ? std::optional(Prepared{})
                                                                     : std::nullopt;
  }
  Prepared prepared;
  const auto note_unit = [&](double mean) {
    if (units.in_metres && !standard && kLeastG <= mean && mean <= kMostG) {
      prepared.notes.emplace_back("perhaps_g", rounded(mean));
    }
  };
  if (leave_imu(*used, *times, grid, slots)) {
    std::array<float, kernels::kImuChannels*(kernels::kImuSteps / kSparse)> some;
    kernels::imu_steps(*used, *times, grid, kSparse, some.data());
    note_unit(mean_magnitude(some.data(), kernels::kImuSteps / kSparse, 1));
    return prepared;
  }
  float* const out = slots.reserve(1);
  if (kernels::imu_grid(*used, *times, grid, out) > 0) {
    return std::nullopt;
  }
  kernels::AudioView all;
  all.samples = out;
  all.count = std::int64_t{kernels::kImuChannels} * kernels::kImuSteps;
  if (!(kernels::peak(all) <= kImuMost)) {
    return std::nullopt;
  }
  note_unit(mean_acceleration(out));
  return prepared;
}

}  // namespace bindrt::prepare
