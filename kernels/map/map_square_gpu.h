// Depth maps and thermal frames to the encoders' input on a device: the same numbers as the CPU.
#pragma once

#include "kernels/base/gpu.h"
#include "kernels/map/depth.h"
#include "kernels/map/thermal.h"

namespace bindrt::kernels {

// As `depth_square`, for at most 65535 maps of any sizes with `pixels` in device memory: writes `out` [count,
// kPictureSide, kPictureSide] and, to `missing` [count], how many pixels of each map are missing. `out_type`
// is that of the first options. Throws std::bad_alloc if there is no memory for the taps.
void depth_squares_gpu(GpuQueue& queue, const Map* maps, const DepthOptions* options, std::int64_t count,
                       unsigned long long* missing, void* out);

// As `thermal_stretched`, for at most 65535 frames and with the first options' `out_type`. A percentile range
// is found on the host; 8-bit frames go through images_to_input.
void thermal_squares_gpu(GpuQueue& queue, const Map* frames, const ThermalOptions* options,
                         std::int64_t count, void* out);

}  // namespace bindrt::kernels
