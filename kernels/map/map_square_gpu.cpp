// The host side of the GPU kernels that depth and thermal share.
#include "kernels/map/map_square_gpu.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "kernels/resize/antialias_gpu.h"
#include "kernels/resize/square.h"

namespace bindrt::kernels {
namespace {

MapTaps taps_to_device(GpuQueue& queue, const AxisResize& axis, const AxisTaps& taps) {
  const auto tables =
      taps_on_device<double>(queue, "map", axis, taps, [](const AxisTaps& all) { return all.weights; });
  return {tables.begins, tables.lengths,   tables.weights,
          taps.width,    taps.first_input, taps.last_input - taps.first_input};
}

}  // namespace

MapItem MapItems::item(const Map& map, const SquareFinish& finish) {
  const Tables& tables = tables_for(map);
  MapItem item{};
  item.map = map;
  item.across = tables.across;
  item.down = tables.down;
  item.middle = static_cast<float*>(
      queue_.scratch(static_cast<std::size_t>(item.down.inputs) * kPictureSide * sizeof(float)));
  item.gain = finish.gain;
  item.offset = finish.offset;
  item.low = finish.low;
  item.high = finish.high;
  return item;
}

const MapItems::Tables& MapItems::tables_for(const Map& map) {
  const auto [found, is_new] = tables_.try_emplace({map.width, map.height});
  if (is_new) {
    const SquareTaps taps = square_taps(map, filter_);
    if (!taps) {
      throw std::bad_alloc();
    }
    const SquareAxes axes = centre_square(map.width, map.height, kPictureSide, filter_);
    found->second = {taps_to_device(queue_, axes.across, *taps.across),
                     taps_to_device(queue_, axes.down, *taps.down)};
  }
  return found->second;
}

void launch_map_squares(GpuQueue& queue, const std::vector<MapItem>& items, OutType type, void* out) {
  const MapItem* const on_device = to_device(queue, items);
  std::int32_t rows = 0;
  std::int32_t height = 0;
  for (const MapItem& item : items) {
    rows = std::max(rows, item.down.inputs);
    height = std::max(height, item.map.height);
  }
  in_grid_rows(static_cast<std::int64_t>(items.size()), [&](std::int64_t first, std::uint32_t count) {
    const MapSquareParams params{on_device + first, number_at(out, type, first * kPictureSide * kPictureSide),
                                 type};
    const auto launch = [&](const char* kernel, std::uint32_t blocks) {
      queue.launch(kernel, {.grid_x = blocks, .grid_y = count, .block_x = kMapThreads}, params);
    };
    if (items.front().missing != nullptr) {
      launch("bindrt_depth_missing", static_cast<std::uint32_t>(std::min(height, 64)));
    }
    launch("bindrt_map_across", static_cast<std::uint32_t>(rows));
    launch("bindrt_map_down", kPictureSide);
  });
}

}  // namespace bindrt::kernels
