#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "kernels/pool.h"

namespace bindrt::kernels {
namespace {

// Columns are pooled in blocks that fit in registers and L1, so that the double sums need no memory
// of the caller's.
constexpr std::int64_t kBlock = 128;
using Block = std::array<double, static_cast<std::size_t>(kBlock)>;

struct Item {
  const float* views;    // [count, dim]
  const float* weights;  // [count] or null
  std::int64_t count;
  std::int64_t dim;
  double total;  // sum of the weights
};

double total_weight(const float* weights, std::int64_t count) noexcept {
  if (weights == nullptr) {
    return static_cast<double>(count);
  }
  double total = 0.0;
  for (std::int64_t row = 0; row < count; ++row) {
    total += static_cast<double>(weights[row]);
  }
  return total;
}

// The mean of columns [begin, begin + width) into `mean`.
void mean_of_block(const Item& item, std::int64_t begin, std::int64_t width, Block& mean) noexcept {
  double* const sum = mean.data();
  std::fill_n(sum, width, 0.0);
  for (std::int64_t row = 0; row < item.count; ++row) {
    const float* const view = item.views + row * item.dim + begin;
    const double weight = item.weights == nullptr ? 1.0 : static_cast<double>(item.weights[row]);
    if (weight == 0.0) {
      continue;  // a view of no weight may hold anything, even NaN
    }
    for (std::int64_t column = 0; column < width; ++column) {
      sum[column] += weight * static_cast<double>(view[column]);
    }
  }
  for (std::int64_t column = 0; column < width; ++column) {
    sum[column] /= item.total;
  }
}

// What the means are divided by: their length, or 1 where they stay as they are.
double divisor_of(const Item& item, bool normalize) noexcept {
  if (!normalize) {
    return 1.0;
  }
  Block mean;
  double squares = 0.0;
  for (std::int64_t begin = 0; begin < item.dim; begin += kBlock) {
    const std::int64_t width = std::min(kBlock, item.dim - begin);
    mean_of_block(item, begin, width, mean);
    const double* const value = mean.data();
    for (std::int64_t column = 0; column < width; ++column) {
      squares += value[column] * value[column];
    }
  }
  const double length = std::sqrt(squares);
  return length == 0.0 ? 1.0 : length;
}

// The means are computed a second time rather than stored as float between the passes: the views lie
// in cache by then, and the result is rounded once.
void pool_item(const Item& item, bool normalize, float* out) noexcept {
  const double divisor = divisor_of(item, normalize);
  Block mean;
  for (std::int64_t begin = 0; begin < item.dim; begin += kBlock) {
    const std::int64_t width = std::min(kBlock, item.dim - begin);
    mean_of_block(item, begin, width, mean);
    const double* const value = mean.data();
    for (std::int64_t column = 0; column < width; ++column) {
      out[begin + column] = static_cast<float>(value[column] / divisor);
    }
  }
}

}  // namespace

void pool_views(const PoolInput& input, bool normalize, float* out) noexcept {
  std::int64_t row = 0;
  for (std::int64_t index = 0; index < input.items; ++index) {
    const std::int64_t count = input.counts[index];
    const float* const weights = input.weights == nullptr ? nullptr : input.weights + row;
    const Item item{input.views + row * input.dim, weights, count, input.dim, total_weight(weights, count)};
    pool_item(item, normalize, out + index * input.dim);
    row += count;
  }
}

}  // namespace bindrt::kernels
