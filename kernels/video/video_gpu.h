// Video crops on a device.
#pragma once

#include "kernels/base/gpu.h"
#include "kernels/video/video.h"

namespace bindrt::kernels {

// Does what `video_crops` does, for frames of any sizes at once, with their planes and `out` in device
// memory: the same numbers as the CPU.
void video_crops_gpu(GpuQueue& queue, const CropRequest* requests, std::int64_t count);

}  // namespace bindrt::kernels
