// Squares of maps on a device: what depth and thermal share.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "kernels/base/gpu.h"
#include "kernels/map/map_square.h"
#include "kernels/map/map_square_params.h"

namespace bindrt::kernels {

// Makes items of maps with their pixels in device memory. Maps of one size share the tables of their taps,
// which are copied to the device once.
class MapItems {
 public:
  MapItems(GpuQueue& queue, ResizeFilter filter) : queue_(queue), filter_(filter) {}

  // What becomes of the map's square; the caller adds what its pixels mean. Throws std::bad_alloc if there is
  // no memory for the taps.
  MapItem item(const Map& map, const SquareFinish& finish);

 private:
  struct Tables {
    MapTaps across;
    MapTaps down;
  };
  const Tables& tables_for(const Map& map);

  GpuQueue& queue_;
  ResizeFilter filter_;
  std::map<std::pair<std::int32_t, std::int32_t>, Tables> tables_;  // by width and height
};

// Writes `out` [items, kPictureSide, kPictureSide], and counts missing pixels where the items have a place
// for that number. One or more items, all of depth or all thermal.
void launch_map_squares(GpuQueue& queue, const std::vector<MapItem>& items, OutType type, void* out);

}  // namespace bindrt::kernels
