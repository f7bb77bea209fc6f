// Squares of maps on a device: what depth and thermal share.
#pragma once

#include <vector>

#include "kernels/base/gpu.h"
#include "kernels/map/map_square.h"
#include "kernels/map/map_square_params.h"

namespace bindrt::kernels {

// A map, its pixels in device memory, with the taps of its square and what becomes of a resized value; the
// caller adds what its pixels mean. Throws std::bad_alloc if there is no memory for the taps.
MapItem map_item(GpuQueue& queue, const Map& map, ResizeFilter filter, const SquareFinish& finish);

// Writes `out` [items, kPictureSide, kPictureSide], and counts missing pixels where the items have a place
// for that number. One or more items, all of depth or all thermal.
void launch_map_squares(GpuQueue& queue, const std::vector<MapItem>& items, OutType type, void* out);

}  // namespace bindrt::kernels
