// Video frames to views: bilinear resize without antialiasing, three crops, CLIP's normalisation.
#pragma once

#include "kernels/base/picture_input.h"
#include "kernels/base/portable.h"
#include "kernels/video/yuv.h"

namespace bindrt::kernels {

constexpr std::int32_t kVideoCrops = 3;  // at the start, the middle and the end of the longer side

// The shorter side becomes kPictureSide, the longer `long_side`; crop c starts at `offsets[c]` along the
// longer one.
struct CropGeometry {
  std::int32_t width;  // the frame's size, after turning
  std::int32_t height;
  bool tall;
  std::int64_t long_side;
  std::int64_t offsets[kVideoCrops];
};

BINDRT_HD CropGeometry crop_geometry(std::int32_t width, std::int32_t height) {
  const bool tall = height > width;
  const double longer = tall ? height : width;
  const double shorter = tall ? width : height;
  const auto long_side = static_cast<std::int64_t>(longer / shorter * kPictureSide);
  const std::int64_t rest = long_side - kPictureSide;
  return {width, height, tall, long_side, {0, rest / 2 + rest % 2, rest}};
}

// Where one axis of the resized frame takes its values: two neighbours and the upper one's weight.
struct VideoTap {
  std::int32_t low;
  std::int32_t high;
  float weight;
};

// `at` counts pixels of the resized frame, `scale` is size / new size, both floats.
BINDRT_HD VideoTap video_tap(std::int64_t at, std::int32_t size, float scale) {
  const float position = scale * (static_cast<float>(at) + 0.5F) - 0.5F;
  const float inside = position > 0.0F ? position : 0.0F;
  const auto whole = static_cast<std::int64_t>(inside);
  const std::int32_t low = whole < size - 1 ? static_cast<std::int32_t>(whole) : size - 1;
  return {low, low < size - 1 ? low + 1 : low, inside - static_cast<float>(low)};
}

BINDRT_HD float video_blend(float low, float high, float weight) {
  return low * (1.0F - weight) + high * weight;
}

BINDRT_HD float video_normalise(float value, std::int32_t channel) {
  const auto mean = static_cast<float>(clip_mean(channel));
  const auto deviation = static_cast<float>(clip_deviation(channel));
  return (value / 255.0F - mean) / deviation;
}

// Where a crop of a frame is written: a square of numbers for each colour.
struct CropTarget {
  std::int32_t crop;   // 0 to 2
  std::int64_t place;  // index in `out` of its first number
};

// A frame and the places of a batch that its crops belong in. A place may not be named twice; a crop may:
// it is computed once, as are crops that overlap or coincide.
struct CropRequest {
  DecodedPicture frame;
  std::int32_t quarter_turns;  // 0 to 3, counter-clockwise, before everything else
  const CropTarget* targets;
  std::int32_t target_count;
  void* out;
  OutType type;
  std::int64_t colour_stride;  // numbers from one colour's plane to the next, red green blue
};

// Converts only the rows and columns that a crop needs. Returns false if there is no memory; what was written
// is not complete then.
bool video_crops(const CropRequest& request, int threads) noexcept;

}  // namespace bindrt::kernels
