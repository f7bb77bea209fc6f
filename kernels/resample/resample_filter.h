// Tables of taps, and a cache of them.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/base/scratch.h"
#include "kernels/resample/resample.h"
#include "kernels/resample/resample_taps.h"

namespace bindrt::kernels {

inline constexpr std::int64_t kMostTableTaps = std::int64_t{1} << 21;  // taps of one filter that are kept

// The shape of two rates that differ and satisfy `resamples`.
ResampleShape resample_shape(const ResampleRates& rates) noexcept;

// A shape with its taps, [blocks] times [block_size()]; a tap is zero where an input does not belong to an
// output.
struct ResampleFilter : ResampleShape {
  const float* table = nullptr;  // null if it would be too large: fill_block computes taps
  // With a table: the sum of all its outputs is that of column[k] x[k - half], k < columns.
  const float* column = nullptr;
  std::int64_t columns = 0;
  Scratch<float> memory;

  std::int64_t period() const noexcept { return blocks * kResampleBlock; }  // outputs
  std::int64_t period_inputs() const noexcept { return period() / target * orig; }
};

// The taps of block `block` (in 0 … blocks - 1) into `taps` [block_size()].
void fill_block(const ResampleFilter& filter, std::int64_t block, float* taps) noexcept;

// The filter of two rates that differ and satisfy `resamples`, from a bounded cache if it was used
// lately; null if there is no memory. Any thread may call.
std::shared_ptr<const ResampleFilter> resample_filter(const ResampleRates& rates) noexcept;

}  // namespace bindrt::kernels
