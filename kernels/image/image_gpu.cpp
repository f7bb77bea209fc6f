// The host side of the image op on a GPU.
#include "kernels/image/image_gpu.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "kernels/image/image_params.h"
#include "kernels/resize/antialias_gpu.h"
#include "kernels/resize/square.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t blocks_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

// Weights as threads side by side read them: [width, count].
std::vector<std::int32_t> turned_weights(const AxisTaps& taps) {
  const auto count = static_cast<std::size_t>(taps.count);
  const auto width = static_cast<std::size_t>(taps.width);
  std::vector<std::int32_t> weights(count * width);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < width; ++k) {
      weights[k * count + i] = taps.fixed[i * width + k];
    }
  }
  return weights;
}

ImageAxis axis_on_device(GpuQueue& queue, const AxisResize& axis) {
  const auto taps = antialias_taps(axis);
  if (taps == nullptr) {
    throw std::bad_alloc();
  }
  const auto tables = taps_on_device<std::int32_t>(queue, "image", axis, *taps, &turned_weights);
  return {tables.begins, tables.lengths, tables.weights, taps->first_input,
          taps->last_input - taps->first_input};
}

ImageItem make_item(GpuQueue& queue, const Picture& picture, std::int32_t side) {
  const SquareAxes axes = centre_square(picture.width, picture.height, side, ResizeFilter::kBicubic);
  const bool grey = picture.layout == PixelLayout::kGrey;
  const bool reversed = picture.layout == PixelLayout::kBgr || picture.layout == PixelLayout::kBgrx;
  ImageItem item{};
  item.pixels = picture.pixels;
  item.row_stride = picture.row_stride;
  item.across = axis_on_device(queue, axes.across);
  item.down = axis_on_device(queue, axes.down);
  item.pixel_bytes = pixel_bytes(picture.layout);
  item.channels = grey ? 1 : 3;
  for (std::int32_t channel = 0; channel < item.channels; ++channel) {
    item.channel_offset[channel] = reversed ? 2 - channel : channel;
  }
  item.resized = static_cast<std::uint8_t*>(
      queue.scratch(static_cast<std::size_t>(item.channels) * static_cast<std::size_t>(item.down.inputs) *
                    static_cast<std::size_t>(side)));
  return item;
}

}  // namespace

void image_to_input_gpu(GpuQueue& queue, const Picture* pictures, std::int64_t items, const ByteScale& scale,
                        std::int32_t side, OutType type, void* out, std::int32_t frames) {
  const std::int64_t columns = blocks_of(side, kImageBlockColumns);
  const std::int64_t item_bytes =
      std::int64_t{scale.planes} * frames * side * side * (type == OutType::kFloat32 ? 4 : 2);
  for (std::int64_t begin = 0; begin < items; begin += kMostGridRows) {
    const std::int64_t end = std::min(begin + kMostGridRows, items);
    std::vector<ImageItem> list;
    std::int64_t blocks = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      list.push_back(make_item(queue, pictures[i], side));
      list.back().first_block = blocks;
      blocks += blocks_of(list.back().down.inputs, kImageBlockRows) * columns;
    }
    const ImageParams params{.items = to_device(queue, list),
                             .out = static_cast<char*>(out) + begin * item_bytes,
                             .scale = scale,
                             .type = type,
                             .items_count = static_cast<std::int32_t>(list.size()),
                             .side = side,
                             .frames = frames};
    LaunchShape shape{.grid_x = static_cast<std::uint32_t>(blocks),
                      .block_x = kImageBlockColumns,
                      .block_y = kImageBlockRows};
    queue.launch("bindrt_image_across", shape, params);
    shape.grid_x = static_cast<std::uint32_t>(columns);
    shape.grid_y = static_cast<std::uint32_t>(blocks_of(side, kImageBlockRows));
    shape.grid_z = static_cast<std::uint32_t>(list.size());
    queue.launch("bindrt_image_down", shape, params);
  }
}

}  // namespace bindrt::kernels
