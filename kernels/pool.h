// Pooling: the views of one item (clips of a recording, crops of a frame) become one vector.
#pragma once

#include <cstdint>

namespace bindrt::kernels {

// One batch of views to pool. Plain pointers into the caller's memory; nothing is kept or allocated.
struct PoolInput {
  const float* views;          // [rows, dim], rows of one item adjacent
  const float* weights;        // [rows], finite and >= 0, with a positive sum for each item; null: all equal
  const std::int64_t* counts;  // [items], each >= 1; their sum is the number of rows
  std::int64_t items;
  std::int64_t dim;
};

// Writes to `out` [items, dim] the weighted mean of each item's views. With `normalize` each mean is
// divided by its Euclidean length; a mean of zeros stays zeros. Sums are held in double, and each
// result is rounded to float once. `out` must not overlap the input.
void pool_views(const PoolInput& input, bool normalize, float* out) noexcept;

}  // namespace bindrt::kernels
