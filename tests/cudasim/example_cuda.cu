// Small kernels that use what ours use, so that the simulator is tested apart from them: shared memory
// of both kinds, barriers, warp operations, atomics. tests/cudasim/test_cudasim_faults.py plants faults here.
#include "kernels/base/cuda/device.h"
#include "tests/cudasim/example_params.h"

namespace {

using namespace bindrt::cudasim::example;
using namespace bindrt::kernels;

struct Span {
  int begin;
  int end;
};

// Source positions that outputs [first, first + count) read, of `size` outputs over `source` inputs.
__device__ __forceinline__ float source_position(int output, int size, int source) {
  const float scale = static_cast<float>(source) / static_cast<float>(size);
  const float position = (static_cast<float>(output) + 0.5F) * scale - 0.5F;
  return position < 0.0F ? 0.0F : position;
}
__device__ __forceinline__ Span span_of(int first, int count, int size, int source) {
  const int last = min(first + count, size) - 1;
  const int begin = static_cast<int>(source_position(first, size, source));
  const int end = static_cast<int>(source_position(last, size, source)) + 2;
  return {begin, min(end, source)};
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) bindrt_example_sum_rows(SumRowsParams p) {
  __shared__ float partial[32];
  const float* const row = p.rows + static_cast<std::int64_t>(blockIdx.x) * p.width;
  float sum = 0.0F;
  for (int column = static_cast<int>(threadIdx.x); column < p.width; column += static_cast<int>(blockDim.x)) {
    sum += row[column];
  }
  sum = cuda::warp_reduce(sum, cuda::Sum());
  const unsigned warp = threadIdx.x / cuda::kWarp;
  if (threadIdx.x % cuda::kWarp == 0) {
    partial[warp] = sum;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0.0F;
    for (unsigned index = 0; index < blockDim.x / cuda::kWarp; ++index) {
      total += partial[index];
    }
    p.sums[blockIdx.x] = total;
  }
}

extern "C" __global__ void __launch_bounds__(256) bindrt_example_resize(ResizeParams p) {
  BINDRT_DYNAMIC_SHARED(float, tile);
  const int first_x = static_cast<int>(blockIdx.x) * kTile;
  const int first_y = static_cast<int>(blockIdx.y) * kTile;
  const Span columns = span_of(first_x, kTile, p.width, p.source_width);
  const Span rows = span_of(first_y, kTile, p.height, p.source_height);
  const int tile_width = columns.end - columns.begin;
  const int tile_size = tile_width * (rows.end - rows.begin);
  const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  for (int index = thread; index < tile_size; index += static_cast<int>(blockDim.x * blockDim.y)) {
    const int y = rows.begin + index / tile_width;
    const int x = columns.begin + index % tile_width;
    tile[index] = static_cast<float>(p.source[y * p.source_width + x]);
  }
  __syncthreads();
  const int x = first_x + static_cast<int>(threadIdx.x);
  const int y = first_y + static_cast<int>(threadIdx.y);
  if (x >= p.width || y >= p.height) {
    return;
  }
  const float at_x = source_position(x, p.width, p.source_width);
  const float at_y = source_position(y, p.height, p.source_height);
  const int left = static_cast<int>(at_x);
  const int top = static_cast<int>(at_y);
  const int right = min(left + 1, p.source_width - 1) - columns.begin;
  const int bottom = min(top + 1, p.source_height - 1) - rows.begin;
  const float* const upper = tile + (top - rows.begin) * tile_width;
  const float* const lower = tile + bottom * tile_width;
  const float part = at_x - static_cast<float>(left);
  const float over = upper[left - columns.begin] + (upper[right] - upper[left - columns.begin]) * part;
  const float under = lower[left - columns.begin] + (lower[right] - lower[left - columns.begin]) * part;
  p.out[y * p.width + x] = over + (under - over) * (at_y - static_cast<float>(top));
}

extern "C" __global__ void __launch_bounds__(256) bindrt_example_histogram(HistogramParams p) {
  __shared__ unsigned counts[256];
  counts[threadIdx.x] = 0;  // blockDim.x is 256
  __syncthreads();
  for (std::int64_t index = cuda::grid_thread(); index < p.count; index += cuda::grid_threads()) {
    atomicAdd(&counts[p.values[index]], 1U);
  }
  __syncthreads();
  if (counts[threadIdx.x] != 0) {
    atomicAdd(&p.counts[threadIdx.x], counts[threadIdx.x]);
  }
}
