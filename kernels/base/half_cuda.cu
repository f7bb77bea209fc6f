// Floats to binary16: each thread every so many-th number as there are threads.
#include "kernels/base/cuda/device.h"
#include "kernels/base/half_params.h"

using namespace bindrt::kernels;

extern "C" __global__ void __launch_bounds__(256) bindrt_to_halves(HalfParams p) {
  for (std::int64_t i = cuda::grid_thread(); i < p.count; i += cuda::grid_threads()) {
    p.to[i] = to_half(p.from[i]);
  }
}
