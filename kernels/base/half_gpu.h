// Many floats of a device to binary16 there.
#pragma once

#include <cstdint>

#include "kernels/base/gpu.h"

namespace bindrt::kernels {

// Queues writing `count` numbers to `to`, each as `to_half` makes it. Throws as the queue does.
void to_halves_gpu(GpuQueue& queue, const float* from, std::int64_t count, void* to);

}  // namespace bindrt::kernels
