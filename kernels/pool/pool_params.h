// The structs of the pool op that host and device share.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

constexpr std::uint32_t kPoolThreads = 256;  // threads of a block; one block pools one item

struct PoolSpan {
  std::int64_t first;  // row of the item's first view
  std::int64_t count;
  double divisor;  // what the sum is divided by; 0: the result gets unit length
};

struct PoolParams {
  const float* views;     // [rows, dim]
  const float* weights;   // [rows] or null
  const PoolSpan* spans;  // [gridDim.x]
  void* out;              // [gridDim.x, dim] of `type`
  std::int64_t dim;
  double scale;
  OutType type;
};

}  // namespace bindrt::kernels
