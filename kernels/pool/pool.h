// Pooling: the views of one item (clips of a recording, crops of a frame) become one vector.
#pragma once

#include <cstdint>

#include "kernels/base/portable.h"

namespace bindrt::kernels {

// One batch of views to pool. Plain pointers into the caller's memory; nothing is kept or allocated.
struct PoolInput {
  const float* views;          // [rows, dim], rows of one item adjacent
  const float* weights;        // [rows], finite and >= 0, with a positive sum for each item; null: all equal
  const std::int64_t* counts;  // [items], each >= 1; their sum is the number of rows
  std::int64_t items;
  std::int64_t dim;
};

struct PoolOptions {
  bool normalize = true;  // divide each mean by its Euclidean length; a mean of zeros stays zeros
  double scale = 1.0;     // multiplies every result, after the mean or after the division; finite
  OutType out_type = OutType::kFloat32;
  int threads = 1;
};

// Writes to `out` [items, dim] the weighted mean of each item's views. Sums are held in double, in the
// same order on every machine; each result is rounded to float once, and to half from there. `out`
// must not overlap the input.
void pool_views(const PoolInput& input, const PoolOptions& options, void* out) noexcept;

}  // namespace bindrt::kernels
