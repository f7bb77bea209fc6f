// The host side of the depth op on a GPU.
#include "kernels/map/depth_gpu.h"

#include <vector>

#include "kernels/map/depth_setup.h"
#include "kernels/map/map_square_gpu.h"

namespace bindrt::kernels {

void depth_squares_gpu(GpuQueue& queue, const Map* maps, const DepthOptions* options, std::int64_t count,
                       unsigned long long* missing, void* out) {
  if (count == 0) {
    return;
  }
  if (missing != nullptr) {
    const std::vector<unsigned long long> zeros(static_cast<std::size_t>(count));
    queue.upload(missing, zeros.data(), zeros.size() * sizeof(unsigned long long));
  }
  MapItems made(queue, ResizeFilter::kBilinear);
  std::vector<MapItem> items;
  for (std::int64_t i = 0; i < count; ++i) {
    items.push_back(made.item(maps[i], depth_finish()));
    items.back().meaning = options[i].unit == DepthUnit::kSunRgbd ? MapMeaning::kSunRgbd : MapMeaning::kDepth;
    items.back().depth = depth_factors(options[i]);
    items.back().missing = missing == nullptr ? nullptr : missing + i;
  }
  launch_map_squares(queue, items, options[0].out_type, out);
}

}  // namespace bindrt::kernels
