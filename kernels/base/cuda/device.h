// What our device code includes. It is compiled by NVRTC 12 (without standard headers), by nvcc, and as
// C++ by the simulator of tests/cudasim, whose wrapper includes tests/cudasim/environment.h before it.
#pragma once

#if !defined(__CUDACC__) && !defined(__CUDACC_RTC__) && !defined(BINDRT_CUDASIM)
#error "device code: for NVRTC, nvcc or the simulator"
#endif

#include "kernels/base/portable.h"

// Declares `name`, a pointer to the block's dynamic shared memory, aligned to 16 bytes. Once in a kernel;
// a kernel that needs several arrays cuts this one up.
#if defined(BINDRT_CUDASIM)
#define BINDRT_DYNAMIC_SHARED(type, name) \
  type* const name = static_cast<type*>(::bindrt::cudasim::dynamic_shared())
#else
#define BINDRT_DYNAMIC_SHARED(type, name)                              \
  extern __shared__ __align__(16) unsigned char bindrt_shared_bytes[]; \
  type* const name = reinterpret_cast<type*>(bindrt_shared_bytes)
#endif

namespace bindrt::kernels::cuda {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xFFFFFFFFU;

// The thread's place along x in the whole grid, and the number of threads there.
__device__ __forceinline__ std::int64_t grid_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * static_cast<std::int64_t>(blockDim.x) +
         static_cast<std::int64_t>(threadIdx.x);
}
__device__ __forceinline__ std::int64_t grid_threads() {
  return static_cast<std::int64_t>(gridDim.x) * static_cast<std::int64_t>(blockDim.x);
}

struct Sum {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Max {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};
struct Min {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};

// The 32 values of a warp combined, in every lane; all lanes must call it. The order is that of a tree
// with distances 16, 8, 4, 2, 1, the same on every run.
template <class T, class Combine>
__device__ __forceinline__ T warp_reduce(T value, Combine combine) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    value = combine(value, __shfl_xor_sync(kAllLanes, value, distance));
  }
  return value;
}

// The values of a block combined, in every thread. All threads of the block must call it; blockDim.x is a
// multiple of 32 and the other sizes are 1. `partial` is shared memory for one value a warp, and may be
// used again at once: the call ends with a barrier.
template <class T, class Combine>
__device__ __forceinline__ T block_reduce(T value, T* partial, Combine combine) {
  value = warp_reduce(value, combine);
  const unsigned warp = threadIdx.x / kWarp;
  if (threadIdx.x % kWarp == 0U) {
    partial[warp] = value;
  }
  __syncthreads();
  T total = partial[0];
  for (unsigned other = 1; other < blockDim.x / kWarp; ++other) {
    total = combine(total, partial[other]);
  }
  __syncthreads();
  return total;
}

}  // namespace bindrt::kernels::cuda
