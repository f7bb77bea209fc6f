// Pooling: a block an item, a thread every kPoolThreads-th column. Sums are held in double, as on the CPU.
#include "kernels/base/cuda/device.h"
#include "kernels/pool/pool_params.h"

namespace {

using namespace bindrt::kernels;

// The weighted sum of one column of an item's views.
__device__ __forceinline__ double column_sum(const PoolParams& p, const PoolSpan& span, std::int64_t column) {
  double sum = 0.0;
  for (std::int64_t view = 0; view < span.count; ++view) {
    const std::int64_t row = span.first + view;
    const double weight = p.weights == nullptr ? 1.0 : static_cast<double>(p.weights[row]);
    if (weight != 0.0) {  // a view of no weight may hold anything, even NaN
      sum += weight * static_cast<double>(p.views[row * p.dim + column]);
    }
  }
  return sum;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) bindrt_pool_views(PoolParams p) {
  __shared__ double partial[32];
  const PoolSpan span = p.spans[blockIdx.x];
  double divisor = span.divisor;
  if (divisor == 0.0) {  // the sum has the mean's direction
    double squares = 0.0;
    for (std::int64_t column = threadIdx.x; column < p.dim; column += blockDim.x) {
      const double sum = column_sum(p, span, column);
      squares += sum * sum;
    }
    squares = cuda::block_reduce(squares, partial, cuda::Sum());
    divisor = squares == 0.0 ? 1.0 : sqrt(squares);
  }
  const double factor = p.scale / divisor;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * p.dim;
  for (std::int64_t column = threadIdx.x; column < p.dim; column += blockDim.x) {
    store(p.out, p.type, row + column, static_cast<float>(column_sum(p, span, column) * factor));
  }
}
