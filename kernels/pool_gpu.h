// Pooling on a device.
#pragma once

#include "kernels/gpu.h"
#include "kernels/pool.h"

namespace bindrt::kernels {

// As `pool_views`, with `views`, `weights` and `out` in device memory and `counts` on the host.
// `host_weights` are the same weights on the host, null if all are equal: their sums are made here.
// Differs from the CPU by the order in which squares are summed, a rounding of the last digit.
void pool_views_gpu(GpuQueue& queue, const PoolInput& input, const float* host_weights,
                    const PoolOptions& options, void* out);

}  // namespace bindrt::kernels
