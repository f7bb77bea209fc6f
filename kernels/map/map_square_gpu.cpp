#include "kernels/map/map_square_gpu.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "kernels/map/depth_setup.h"
#include "kernels/map/float_square.h"
#include "kernels/map/map_square_params.h"

namespace bindrt::kernels {
namespace {

template <class T>
const T* uploaded(GpuQueue& queue, const std::vector<T>& values) {
  const std::size_t bytes = values.size() * sizeof(T);
  void* const device = queue.scratch(bytes);
  queue.upload(device, values.data(), bytes);
  return static_cast<const T*>(device);
}

MapTaps uploaded_taps(GpuQueue& queue, const AxisTaps& taps) {
  return {uploaded(queue, taps.begins),
          uploaded(queue, taps.lengths),
          uploaded(queue, taps.weights),
          taps.width,
          taps.first_input,
          taps.last_input - taps.first_input};
}

// What depth and thermal have in common.
MapItem item_of(GpuQueue& queue, const Map& map, ResizeFilter filter, const SquareFinish& finish) {
  const SquareTaps taps = square_taps(map, filter);
  if (!taps) {
    throw std::bad_alloc();
  }
  MapItem item{};
  item.map = map;
  item.across = uploaded_taps(queue, *taps.across);
  item.down = uploaded_taps(queue, *taps.down);
  item.middle = static_cast<float*>(
      queue.scratch(static_cast<std::size_t>(item.down.inputs) * kPictureSide * sizeof(float)));
  item.gain = finish.gain;
  item.offset = finish.offset;
  item.low = finish.low;
  item.high = finish.high;
  return item;
}

void launch(GpuQueue& queue, const std::vector<MapItem>& items, OutType type, void* out, bool counts) {
  const MapSquareParams params{uploaded(queue, items), out, type};
  const auto count = static_cast<std::uint32_t>(items.size());
  std::int32_t rows = 0;
  std::int32_t height = 0;
  for (const MapItem& item : items) {
    rows = std::max(rows, item.down.inputs);
    height = std::max(height, item.map.height);
  }
  if (counts) {
    const auto blocks = static_cast<std::uint32_t>(std::min(height, 64));
    queue.launch("bindrt_depth_missing", {.grid_x = blocks, .grid_y = count, .block_x = kMapThreads}, params);
  }
  queue.launch("bindrt_map_across",
               {.grid_x = static_cast<std::uint32_t>(rows), .grid_y = count, .block_x = kMapThreads}, params);
  queue.launch("bindrt_map_down", {.grid_x = kPictureSide, .grid_y = count, .block_x = kMapThreads}, params);
}

}  // namespace

void depth_squares_gpu(GpuQueue& queue, const Map* maps, const DepthOptions* options, std::int64_t count,
                       unsigned long long* missing, void* out) {
  if (count == 0) {
    return;
  }
  const std::vector<unsigned long long> zeros(static_cast<std::size_t>(count));
  queue.upload(missing, zeros.data(), zeros.size() * sizeof(unsigned long long));
  std::vector<MapItem> items;
  for (std::int64_t i = 0; i < count; ++i) {
    items.push_back(item_of(queue, maps[i], ResizeFilter::kBilinear, depth_finish()));
    items.back().meaning = options[i].unit == DepthUnit::kSunRgbd ? MapMeaning::kSunRgbd : MapMeaning::kDepth;
    items.back().depth = depth_factors(options[i]);
    items.back().missing = missing + i;
  }
  launch(queue, items, options[0].out_type, out, true);
}

void thermal_squares_gpu(GpuQueue& queue, const Map* frames, const ThermalOptions* options,
                         std::int64_t count, void* out) {
  if (count == 0) {
    return;
  }
  std::vector<MapItem> items;
  for (std::int64_t i = 0; i < count; ++i) {
    items.push_back(item_of(queue, frames[i], ResizeFilter::kBicubic, {1.0, 0.0, 0.0, 1.0}));
    items.back().meaning = MapMeaning::kThermal;
    items.back().thermal = thermal_range(options[i].low, options[i].high);
  }
  launch(queue, items, options[0].out_type, out, false);
}

}  // namespace bindrt::kernels
