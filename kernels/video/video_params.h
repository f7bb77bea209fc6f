// The structs of the video op that host and device share.
#pragma once

#include "kernels/video/video.h"

namespace bindrt::kernels {

constexpr std::uint32_t kVideoThreads = 256;  // in a block; a thread makes one pixel in its three colours

// One crop of one frame. Sizes, offsets and scales are of the frame after turning.
struct CropItem {
  DecodedPicture frame;  // planes in device memory
  std::int32_t quarter_turns;
  std::int32_t width;
  std::int32_t height;
  std::int64_t first_row;  // where the crop begins in the resized frame
  std::int64_t first_column;
  float row_scale;  // source pixels a resized one
  float column_scale;
  void* out;
  std::int64_t place;
  std::int64_t colour_stride;
  OutType type;
};

struct CropParams {
  const CropItem* items;  // [gridDim.y]
};

}  // namespace bindrt::kernels
