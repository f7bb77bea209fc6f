// The image op: layouts, scales, and the structs that host and device share.
#pragma once

#include "kernels/base/picture_input.h"
#include "kernels/base/portable.h"

namespace bindrt::kernels {

// The bytes of a pixel; X is any byte, alpha among others, and is not looked at.
enum class PixelLayout : std::int32_t { kGrey = 0, kRgb = 1, kBgr = 2, kRgbx = 3, kBgrx = 4 };

constexpr std::int32_t pixel_bytes(PixelLayout layout) {
  return layout == PixelLayout::kGrey ? 1 : layout < PixelLayout::kRgbx ? 3 : 4;
}

// (p/255 - mean)/deviation, in float32, rounded after every step.
struct ByteScale {
  std::int32_t planes;  // 3, or 1 for grey pictures only; a grey picture is repeated in 3
  float mean[3];
  float deviation[3];
};

inline constexpr std::int32_t kMostSide = 4096;
inline constexpr ByteScale kClipScale{
    3,
    {static_cast<float>(clip_mean(0)), static_cast<float>(clip_mean(1)), static_cast<float>(clip_mean(2))},
    {static_cast<float>(clip_deviation(0)), static_cast<float>(clip_deviation(1)),
     static_cast<float>(clip_deviation(2))}};
inline constexpr ByteScale kUnitScale{1, {0.0F, 0.0F, 0.0F}, {1.0F, 1.0F, 1.0F}};  // 0 to 1

BINDRT_HD float scale_byte(const ByteScale& scale, std::int32_t plane, std::uint8_t value) {
  return (static_cast<float>(value) / 255.0F - scale.mean[plane]) / scale.deviation[plane];
}

// One axis of a resize in device memory; see AxisTaps.
struct ImageAxis {
  const std::int32_t* begins;   // [side]
  const std::int32_t* lengths;  // [side]
  const std::int32_t* weights;  // [longest, side]: threads side by side read side by side
  std::int32_t first_input;
  std::int32_t inputs;  // that any output needs
};

inline constexpr std::int32_t kImageBlockColumns = 32;  // threads of a block along x
inline constexpr std::int32_t kImageBlockRows = 8;      // and along y

struct ImageItem {
  const std::uint8_t* pixels;
  std::int64_t row_stride;
  std::uint8_t* resized;  // [channels, down.inputs, side]: rows from down.first_input on, resized across
  ImageAxis across;
  ImageAxis down;
  std::int64_t first_block;  // where the item begins in the pass across
  std::int32_t pixel_bytes;
  std::int32_t channels;           // 1 or 3
  std::int32_t channel_offset[3];  // in a pixel
};

struct ImageParams {
  const ImageItem* items;  // [items], by first_block
  void* out;               // [items, scale.planes, frames, side, side] of `type`
  ByteScale scale;
  OutType type;
  std::int32_t items_count;
  std::int32_t side;
  std::int32_t frames;  // all alike
};

}  // namespace bindrt::kernels
