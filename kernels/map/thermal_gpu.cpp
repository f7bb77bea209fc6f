// The host side of the thermal op on a GPU.
#include "kernels/map/thermal_gpu.h"

#include <vector>

#include "kernels/map/map_square_gpu.h"
#include "kernels/map/thermal_params.h"

namespace bindrt::kernels {

void thermal_squares_gpu(GpuQueue& queue, const Map* frames, const ThermalOptions* options,
                         std::int64_t count, void* out) {
  if (count == 0) {
    return;
  }
  MapItems made(queue, ResizeFilter::kBicubic);
  std::vector<MapItem> items;
  for (std::int64_t i = 0; i < count; ++i) {
    items.push_back(made.item(frames[i], {1.0, 0.0, 0.0, 1.0}));
    items.back().meaning = MapMeaning::kThermal;
    items.back().thermal = thermal_range(options[i].low, options[i].high);
  }
  launch_map_squares(queue, items, options[0].out_type, out);
}

}  // namespace bindrt::kernels
