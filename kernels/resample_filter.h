// The taps of a resampling filter, in the order in which they are used.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/portable.h"
#include "kernels/resample.h"
#include "kernels/scratch.h"

namespace bindrt::kernels {

// Outputs 4b … 4b + 3 form a block: they read one window of inputs, which begins `half` before the
// position of the first of them.
inline constexpr std::int64_t kResampleBlock = 4;
inline constexpr std::int64_t kResampleLanes = 8;  // inputs that are added up side by side

// A block's taps: [width / 8][4 outputs][8 inputs], zero where an input does not belong to an output.
struct ResampleFilter {
  ResampleRates rates;
  std::int64_t half = 0;
  std::int64_t width = 0;        // inputs of a window, a multiple of kResampleLanes
  std::int64_t blocks = 0;       // the taps repeat after so many blocks
  const float* table = nullptr;  // [blocks] of taps; null if that is too large: fill_block computes them
  // With a table: the sum of all its outputs is that of column[k] x[k - half], k < columns.
  const float* column = nullptr;
  std::int64_t columns = 0;
  Scratch<float> memory;

  std::int64_t period() const noexcept { return blocks * kResampleBlock; }  // outputs
  std::int64_t period_inputs() const noexcept { return period() / rates.target * rates.orig; }
  std::int64_t block_size() const noexcept { return width * kResampleBlock; }
};

// The taps of block `block` (in 0 … blocks - 1) into `taps` [block_size()].
void fill_block(const ResampleFilter& filter, std::int64_t block, float* taps) noexcept;

// The filter of two rates that differ and satisfy `resamples`, from a bounded cache if it was used
// lately; null if there is no memory. Any thread may call.
std::shared_ptr<const ResampleFilter> resample_filter(const ResampleRates& rates) noexcept;

}  // namespace bindrt::kernels
