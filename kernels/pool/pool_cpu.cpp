// The pool op on the CPU.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "kernels/base/dispatch.h"
#include "kernels/base/half.h"
#include "kernels/base/parallel.h"
#include "kernels/pool/pool.h"

namespace bindrt::kernels {
namespace {

// Columns are pooled in blocks whose sums lie on the stack. A vector of the model is one block; of a
// wider one the sums are computed twice rather than rounded between the passes.
constexpr std::int64_t kBlock = 1024;
// The squares go to this many sums, so that they need not wait for each other; the same at every level.
constexpr std::int64_t kSums = 16;

struct Item {
  const float* views;    // [count, dim]
  const float* weights;  // [count] or null
  std::int64_t count;
  std::int64_t dim;
};

double total_weight(const Item& item) noexcept {
  if (item.weights == nullptr) {
    return static_cast<double>(item.count);
  }
  double total = 0.0;
  for (std::int64_t row = 0; row < item.count; ++row) {
    total += static_cast<double>(item.weights[row]);
  }
  return total;
}

// The weighted sum of columns [begin, begin + width) into `sum`.
BINDRT_INLINE void sum_block(const Item& item, std::int64_t begin, std::int64_t width, double* sum) {
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
}

BINDRT_INLINE double squares_of_block(const double* sum, std::int64_t width) {
  std::array<double, static_cast<std::size_t>(kSums)> parts{};
  double* const part = parts.data();
  std::int64_t column = 0;
  for (; column + kSums <= width; column += kSums) {
    for (std::int64_t i = 0; i < kSums; ++i) {
      part[i] += sum[column + i] * sum[column + i];
    }
  }
  double squares = 0.0;
  for (std::int64_t i = 0; i < kSums; ++i) {
    squares += part[i];
  }
  for (; column < width; ++column) {
    squares += sum[column] * sum[column];
  }
  return squares;
}

BINDRT_INLINE void store_block(const double* sum, std::int64_t width, double factor, OutType type, void* out,
                               std::int64_t at) {
  std::array<float, static_cast<std::size_t>(kBlock)> rounded;
  for (std::int64_t column = 0; column < width; ++column) {
    rounded[static_cast<std::size_t>(column)] = static_cast<float>(sum[column] * factor);
  }
  store_row(out, type, at, rounded.data(), width);
}

BINDRT_INLINE void pool_item(const Item& item, const PoolOptions& options, void* out, std::int64_t at) {
  std::array<double, static_cast<std::size_t>(kBlock)> sums;
  double* const sum = sums.data();
  double divisor = total_weight(item);
  if (options.normalize) {  // the sum has the mean's direction
    double squares = 0.0;
    for (std::int64_t begin = 0; begin < item.dim; begin += kBlock) {
      const std::int64_t width = std::min(kBlock, item.dim - begin);
      sum_block(item, begin, width, sum);
      squares += squares_of_block(sum, width);
    }
    divisor = squares == 0.0 ? 1.0 : std::sqrt(squares);
  }
  const double factor = options.scale / divisor;
  for (std::int64_t begin = 0; begin < item.dim; begin += kBlock) {
    const std::int64_t width = std::min(kBlock, item.dim - begin);
    if (!options.normalize || item.dim > kBlock) {
      sum_block(item, begin, width, sum);
    }
    store_block(sum, width, factor, options.out_type, out, at + begin);
  }
}

// Items [begin, end) of the batch.
struct Piece {
  const PoolInput* input;
  const PoolOptions* options;
  void* out;
  std::int64_t begin;
  std::int64_t end;
};

BINDRT_INLINE void pool_piece(const Piece& piece) {
  const PoolInput& input = *piece.input;
  std::int64_t row = 0;
  for (std::int64_t index = 0; index < piece.end; ++index) {
    const std::int64_t count = input.counts[index];
    if (index >= piece.begin) {
      const float* const weights = input.weights == nullptr ? nullptr : input.weights + row;
      pool_item({input.views + row * input.dim, weights, count, input.dim}, *piece.options, piece.out,
                index * input.dim);
    }
    row += count;
  }
}

void pool_baseline(const Piece& piece) { pool_piece(piece); }
BINDRT_AVX2 void pool_avx2(const Piece& piece) { pool_piece(piece); }
BINDRT_AVX512 void pool_avx512(const Piece& piece) { pool_piece(piece); }

}  // namespace

void pool_views(const PoolInput& input, const PoolOptions& options, void* out) noexcept {
  const auto run = choose(&pool_baseline, &pool_avx2, &pool_avx512);
  const std::int64_t threads = std::max(options.threads, 1);
  parallel_for(input.items, (input.items + threads - 1) / threads, options.threads,
               [&](std::int64_t begin, std::int64_t end) { run({&input, &options, out, begin, end}); });
}

}  // namespace bindrt::kernels
