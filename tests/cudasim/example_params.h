// Parameters of the example kernels.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::cudasim::example {

// Rows of numbers, each summed.
struct SumRowsParams {
  const float* rows;  // [gridDim.x, width]
  float* sums;        // [gridDim.x]
  std::int32_t width;
};

// A picture made larger or smaller: bilinear, in tiles of `kTile` x `kTile` outputs a block.
constexpr std::int32_t kTile = 16;
struct ResizeParams {
  const std::uint8_t* source;  // [source_height, source_width]
  float* out;                  // [height, width]
  std::int32_t source_width;
  std::int32_t source_height;
  std::int32_t width;
  std::int32_t height;
  std::int32_t tile_capacity;  // numbers that the dynamic shared memory holds
};

// How often each value stands in the input.
struct HistogramParams {
  const std::uint8_t* values;
  std::uint32_t* counts;  // [256], zero before
  std::int64_t count;
};

}  // namespace bindrt::cudasim::example
