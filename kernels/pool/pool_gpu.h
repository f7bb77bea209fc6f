// Pooling on a device.
#pragma once

#include "kernels/base/gpu.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/pool_params.h"

namespace bindrt::kernels {

// Does what `pool_views` does, with `views`, `weights` and `out` in device memory and `counts` on the host.
// `host_weights` are the same weights on the host, null if all are equal: their sums are made here. The
// result differs from the CPU's by the order in which squares are summed, a rounding of the last digit.
void pool_views_gpu(GpuQueue& queue, const PoolInput& input, const float* host_weights,
                    const PoolOptions& options, void* out);

// What the kernel needs of an item whose rows begin at `first`. `weights` are those of its rows on the host;
// null if all are equal.
PoolSpan pool_span(std::int64_t first, std::int64_t count, const float* weights, bool normalize);

}  // namespace bindrt::kernels
