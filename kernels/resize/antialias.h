// The taps of a resize with antialiasing, as Pillow defines them: the filter's support grows with the
// scale, so that every input pixel counts. Shared by the 8-bit path (image) and the float ones (depth,
// thermal).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/resize/fixed_point.h"

namespace bindrt::kernels {

enum class ResizeFilter : std::int32_t { kBilinear = 0, kBicubic = 1 };  // bicubic with a = -0.5

// A resize along one axis: the part [begin, end) of the input's pixels becomes `out_size` pixels, of
// which [first, first + count) are wanted. Outside the part, but inside the input, pixels still count.
struct AxisResize {
  std::int32_t in_size = 1;   // >= 1
  std::int64_t out_size = 1;  // >= 1
  std::int64_t first = 0;     // >= 0
  std::int32_t count = 1;     // >= 1, first + count <= out_size
  ResizeFilter filter = ResizeFilter::kBicubic;
  double begin = 0.0;  // 0 <= begin < end <= in_size; Pillow holds its box as float32
  double end = 1.0;

  bool operator==(const AxisResize&) const = default;
};

// Output i of those wanted is the sum of weight k times input begins[i] + k, for k < lengths[i].
// Plain arrays, as they can be copied to a device; a row is padded with zeros to `width`.
struct AxisTaps {
  std::int32_t count = 0;  // outputs
  std::int32_t width = 0;  // the largest of `lengths`
  std::int32_t first_input = 0;
  std::int32_t last_input = 0;        // past the last one that any output needs
  std::vector<std::int32_t> begins;   // [count], not decreasing
  std::vector<std::int32_t> lengths;  // [count], >= 1
  std::vector<double> weights;        // [count, width], each row's sum is 1
  std::vector<std::int32_t> fixed;    // [count, width], in units of 2^-kFixedBits, as Pillow rounds them
  // `fixed` for instructions that multiply pairs of 16-bit numbers. Inputs from `first_input` on are taken
  // in pairs; output i sums pairs pair_begins[i] + k, k < pair_counts[i]. A weight is high·2^kHighShift +
  // low, and a pair's four numbers are high, high, low, low.
  std::int32_t pair_width = 0;             // the largest of `pair_counts`
  std::vector<std::int32_t> pair_begins;   // [count]
  std::vector<std::int32_t> pair_counts;   // [count]
  std::vector<std::int16_t> pair_weights;  // [count, pair_width, 4]
};

inline constexpr int kHighShift = 15;

// The resize of a whole axis.
constexpr AxisResize whole_axis(std::int32_t in_size, std::int64_t out_size, ResizeFilter filter) {
  return {
      in_size, out_size, 0, static_cast<std::int32_t>(out_size), filter, 0.0, static_cast<double>(in_size)};
}

// What tells one resize from another, as a key of tables.
std::string key_of(const AxisResize& axis);

// The taps, from a bounded cache if they were used lately; null if there is no memory. Any thread may call.
std::shared_ptr<const AxisTaps> antialias_taps(const AxisResize& axis) noexcept;

}  // namespace bindrt::kernels
