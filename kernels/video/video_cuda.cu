// Video crops: a thread a pixel. It converts the four source pixels that it blends; neighbours find them in
// the cache.
#include "kernels/base/cuda/device.h"
#include "kernels/video/video_params.h"

namespace {

using namespace bindrt::kernels;

// A pixel of the turned frame, packed.
__device__ __forceinline__ std::uint32_t turned_pixel(const CropItem& item, std::int32_t row,
                                                      std::int32_t column) {
  switch (item.quarter_turns) {
    case 1:
      return picture_pixel(item.frame, column, item.height - 1 - row);
    case 2:
      return picture_pixel(item.frame, item.height - 1 - row, item.width - 1 - column);
    case 3:
      return picture_pixel(item.frame, item.width - 1 - column, row);
    default:
      return picture_pixel(item.frame, row, column);
  }
}

__device__ __forceinline__ float colour_of(std::uint32_t pixel, int colour) {
  return static_cast<float>((pixel >> (8 * colour)) & 0xFFU);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) bindrt_video_crops(CropParams p) {
  const std::int64_t pixel = cuda::grid_thread();
  if (pixel >= std::int64_t{kPictureSide} * kPictureSide) {
    return;
  }
  const CropItem item = p.items[blockIdx.y];
  const std::int64_t y = pixel / kPictureSide;
  const std::int64_t x = pixel % kPictureSide;
  const VideoTap rows = video_tap(item.first_row + y, item.height, item.row_scale);
  const VideoTap columns = video_tap(item.first_column + x, item.width, item.column_scale);
  const std::uint32_t upper_low = turned_pixel(item, rows.low, columns.low);
  const std::uint32_t upper_high = turned_pixel(item, rows.low, columns.high);
  const std::uint32_t lower_low = turned_pixel(item, rows.high, columns.low);
  const std::uint32_t lower_high = turned_pixel(item, rows.high, columns.high);
  for (int colour = 0; colour < 3; ++colour) {
    const float upper =
        video_blend(colour_of(upper_low, colour), colour_of(upper_high, colour), columns.weight);
    const float lower =
        video_blend(colour_of(lower_low, colour), colour_of(lower_high, colour), columns.weight);
    const float value = video_normalise(video_blend(upper, lower, rows.weight), colour);
    store(item.out, item.type, item.place + colour * item.colour_stride + pixel, value);
  }
}
