// The taps of random resizes.
#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/resize/antialias.h"
#include "kernels/resize/square.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using kernels::antialias_taps;
using kernels::AxisResize;
using kernels::AxisTaps;
using kernels::ResizeFilter;
using kernels::SquareAxes;

constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();

AxisResize random_axis(Bytes& bytes) {
  AxisResize axis;
  axis.in_size =
      static_cast<std::int32_t>(bytes.chance(10) ? bytes.range(kMost - 5000, kMost) : bytes.small(1, 3000));
  // Not so much smaller that the taps would be larger than any cache.
  axis.out_size = bytes.small(axis.in_size > 3000 ? axis.in_size / 1000 : 1, std::int64_t{axis.in_size} * 4);
  axis.first = bytes.range(0, axis.out_size - 1);
  axis.count =
      static_cast<std::int32_t>(bytes.small(1, std::min<std::int64_t>(axis.out_size - axis.first, 500)));
  axis.filter = bytes.chance(2) ? ResizeFilter::kBilinear : ResizeFilter::kBicubic;
  axis.end = axis.in_size;
  if (bytes.chance(3)) {
    const double a = bytes.real(0, axis.in_size);
    const double b = bytes.chance(4) ? a * 0.999999 : bytes.real(0, axis.in_size);
    axis.begin = std::min(a, b);
    axis.end = a == b ? axis.in_size : std::max(a, b);
  }
  return axis;
}

bool good_row(const AxisTaps& taps, const AxisResize& axis, std::size_t i) {
  const std::int32_t begin = taps.begins[i];
  const std::int32_t length = taps.lengths[i];
  bool good = begin >= 0 && length >= 1 && length <= taps.width && begin <= axis.in_size - length;
  good = good && begin >= taps.first_input && begin + length <= taps.last_input;
  good = good && (i == 0 || begin >= taps.begins[i - 1]);
  double sum = 0;
  double fixed = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(taps.width); ++k) {
    const std::size_t at = i * static_cast<std::size_t>(taps.width) + k;
    good = good && (k < static_cast<std::size_t>(length) || (taps.weights[at] == 0 && taps.fixed[at] == 0));
    sum += taps.weights[at];
    fixed += taps.fixed[at];
  }
  return good && std::fabs(sum - 1) < 1e-9 &&
         std::fabs(fixed - (1 << kernels::kFixedBits)) <= 0.5 * length + 1;
}

// The pairs of 16-bit numbers are the same weights in another form.
bool good_pairs(const AxisTaps& taps, std::size_t i) {
  const std::int32_t begin = taps.pair_begins[i];
  const std::int32_t count = taps.pair_counts[i];
  bool good = begin >= 0 && count >= 1 && count <= taps.pair_width;
  for (std::int32_t k = 0; k < 2 * count; ++k) {
    const auto pair = (i * static_cast<std::size_t>(taps.pair_width) + static_cast<std::size_t>(k / 2)) * 4;
    const auto high = taps.pair_weights[pair + static_cast<std::size_t>(k % 2)];
    const auto low = taps.pair_weights[pair + 2 + static_cast<std::size_t>(k % 2)];
    const std::int32_t at = taps.first_input + 2 * begin + k - taps.begins[i];
    const bool inside = at >= 0 && at < taps.lengths[i];
    const std::int32_t want =
        inside ? taps.fixed[i * static_cast<std::size_t>(taps.width) + static_cast<std::size_t>(at)] : 0;
    good = good && high * (1 << kernels::kHighShift) + low == want;
  }
  return good;
}

void taps_of_an_axis(Bytes& bytes) {
  const AxisResize axis = random_axis(bytes);
  const auto taps = antialias_taps(axis);
  CHECK(taps != nullptr);
  if (taps == nullptr) {
    return;
  }
  CHECK(taps->count == axis.count);
  for (std::size_t i = 0; i < static_cast<std::size_t>(taps->count); ++i) {
    CHECK(good_row(*taps, axis, i));
    CHECK(good_pairs(*taps, i));
  }
}

void square_of_a_picture(Bytes& bytes) {
  const auto size = [&bytes] {
    return static_cast<std::int32_t>(bytes.chance(4) ? bytes.range(1, kMost) : bytes.small(1, 8000));
  };
  const std::int32_t width = size();
  const std::int32_t height = size();
  const auto side = static_cast<std::int32_t>(bytes.small(1, 4096));
  const SquareAxes square = kernels::centre_square(width, height, side, ResizeFilter::kBicubic);
  for (const AxisResize& axis : {square.across, square.down}) {
    CHECK(axis.count == side && axis.first >= 0 && axis.first + axis.count <= axis.out_size);
    CHECK(std::llabs(axis.out_size - axis.count - 2 * axis.first) <= 1);  // in the centre
  }
  CHECK(square.across.in_size == width && square.down.in_size == height);
}

}  // namespace

void one_case(Bytes& bytes) { bytes.chance(8) ? square_of_a_picture(bytes) : taps_of_an_axis(bytes); }

}  // namespace bindrt::stress
