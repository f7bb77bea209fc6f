// Pictures on a device.
#pragma once

#include "kernels/base/gpu.h"
#include "kernels/image/image.h"

namespace bindrt::kernels {

// Does what image_to_input does, for several pictures of any sizes at once, with the same numbers. The
// pictures' pixels and `out` [items, scale.planes, frames, side, side] are in device memory. Throws
// std::bad_alloc if the host has no memory for tables.
void image_to_input_gpu(GpuQueue& queue, const Picture* pictures, std::int64_t items, const ByteScale& scale,
                        std::int32_t side, OutType type, void* out, std::int32_t frames = 1);

}  // namespace bindrt::kernels
