// Thermal frames on a device: the same numbers as the CPU's.
#pragma once

#include "kernels/base/gpu.h"
#include "kernels/map/thermal.h"

namespace bindrt::kernels {

// Does what `thermal_stretched` does, for many frames and with the first options'
// `out_type`. A percentile range is found on the host; 8-bit frames go through image_to_input_gpu. Throws
// std::bad_alloc if there is no memory for the taps.
void thermal_squares_gpu(GpuQueue& queue, const Map* frames, const ThermalOptions* options,
                         std::int64_t count, void* out);

}  // namespace bindrt::kernels
