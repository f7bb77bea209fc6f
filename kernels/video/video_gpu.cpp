// The host side of the video op on a GPU.
#include "kernels/video/video_gpu.h"

#include <cstddef>
#include <vector>

#include "kernels/video/video_params.h"

namespace bindrt::kernels {
namespace {

float scale_of(std::int32_t size, std::int64_t new_size) {
  return static_cast<float>(size) / static_cast<float>(new_size);
}

CropItem item_of(const CropRequest& request, const CropTarget& target) {
  const bool sideways = request.quarter_turns % 2 != 0;
  const std::int32_t width = sideways ? request.frame.height : request.frame.width;
  const std::int32_t height = sideways ? request.frame.width : request.frame.height;
  const CropGeometry geometry = crop_geometry(width, height);
  const std::int64_t offset = geometry.offsets[target.crop];
  return {.frame = request.frame,
          .quarter_turns = request.quarter_turns,
          .width = width,
          .height = height,
          .first_row = geometry.tall ? offset : 0,
          .first_column = geometry.tall ? 0 : offset,
          .row_scale = scale_of(height, geometry.tall ? geometry.long_side : kPictureSide),
          .column_scale = scale_of(width, geometry.tall ? kPictureSide : geometry.long_side),
          .out = request.out,
          .place = target.place,
          .colour_stride = request.colour_stride,
          .type = request.type};
}

}  // namespace

void video_crops_gpu(GpuQueue& queue, const CropRequest* requests, std::int64_t count) {
  std::vector<CropItem> items;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int32_t target = 0; target < requests[i].target_count; ++target) {
      items.push_back(item_of(requests[i], requests[i].targets[target]));
    }
  }
  if (items.empty()) {
    return;
  }
  const CropItem* const on_device = to_device(queue, items);
  in_grid_rows(static_cast<std::int64_t>(items.size()), [&](std::int64_t first, std::uint32_t some) {
    constexpr std::uint32_t kPixels = kPictureSide * kPictureSide;
    queue.launch(
        "bindrt_video_crops",
        {.grid_x = (kPixels + kVideoThreads - 1) / kVideoThreads, .grid_y = some, .block_x = kVideoThreads},
        CropParams{on_device + first});
  });
}

}  // namespace bindrt::kernels
