// Depth maps on a device: the same numbers as the CPU's.
#pragma once

#include "kernels/base/gpu.h"
#include "kernels/map/depth.h"

namespace bindrt::kernels {

// Does what `depth_square` does, for maps of any sizes with `pixels` in device memory:
// writes `out` [count, kPictureSide, kPictureSide] and, to `missing` [count], how many pixels of each map are
// missing, unless `missing` is null: then only the pixels of map_window() are read. `out_type` is that of the
// first options. Throws std::bad_alloc if there is no memory for the taps.
void depth_squares_gpu(GpuQueue& queue, const Map* maps, const DepthOptions* options, std::int64_t count,
                       unsigned long long* missing, void* out);

}  // namespace bindrt::kernels
