// Pictures: the centre square of an antialiased bicubic resize on 8 bits, exactly Pillow's, and its
// normalisation into a batch. Pixels outside the square are not computed.
#pragma once

#include <cstdint>

#include "kernels/portable.h"

namespace bindrt::kernels {

// The bytes of a pixel; X is any byte, alpha among others, and is not looked at.
enum class PixelLayout : std::int32_t { kGrey = 0, kRgb = 1, kBgr = 2, kRgbx = 3, kBgrx = 4 };

constexpr std::int32_t pixel_bytes(PixelLayout layout) {
  return layout == PixelLayout::kGrey ? 1 : layout < PixelLayout::kRgbx ? 3 : 4;
}

struct Picture {
  const std::uint8_t* pixels;
  std::int32_t width;       // >= 1
  std::int32_t height;      // >= 1
  std::int64_t row_stride;  // bytes from a row to the next; may be negative
  PixelLayout layout;
};

// (p/255 - mean)/deviation, in float32, rounded after every step.
struct ByteScale {
  std::int32_t planes;  // 3, or 1 for grey pictures only; a grey picture is repeated in 3
  float mean[3];
  float deviation[3];
};

inline constexpr std::int32_t kImageSide = 224;
inline constexpr std::int32_t kMostSide = 4096;
inline constexpr ByteScale kClipScale{
    3, {0.48145466F, 0.4578275F, 0.40821073F}, {0.26862954F, 0.26130258F, 0.27577711F}};
inline constexpr ByteScale kUnitScale{1, {0.0F, 0.0F, 0.0F}, {1.0F, 1.0F, 1.0F}};  // 0 to 1

BINDRT_HD float scale_byte(const ByteScale& scale, std::int32_t plane, std::uint8_t value) {
  return (static_cast<float>(value) / 255.0F - scale.mean[plane]) / scale.deviation[plane];
}

// Shorter side to `side`, longer in proportion, its centre: horizontal pass, then vertical, each rounded
// and clipped to 8 bits. `side` is 1 to kMostSide. Return false if there is no memory, with `out` undefined.

// `out`: numbers of `type`, [planes, side, side].
bool image_to_input(const Picture& picture, const ByteScale& scale, std::int32_t side, OutType type,
                    void* out, int threads) noexcept;

// `out`: [side, side, 3], in the order R, G, B, or [side, side] for grey pictures.
bool image_to_bytes(const Picture& picture, std::int32_t side, std::uint8_t* out, int threads) noexcept;

// The part of a picture that its centre square depends on.
struct ImageWindow {
  std::int32_t first_column;
  std::int32_t columns;
  std::int32_t first_row;
  std::int32_t rows;
};

// False if there is no memory.
bool image_window(std::int32_t width, std::int32_t height, std::int32_t side, ImageWindow& window) noexcept;

// Where rows come from one after the other, as from a decoder.
class RowSource {
 public:
  RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  virtual ~RowSource() = default;

  // Points `rows` to the next `count` rows of the window, 1 to 16, at the window's first column; they stay
  // until the next call. From there on `readable` bytes of each row may be read. False if that failed.
  virtual bool next(std::int32_t count, const std::uint8_t** rows) noexcept = 0;
  std::int64_t readable = 0;
};

// As image_to_input, for a picture of this size and layout whose window `source` gives. Every row is asked
// for once. False also if the source failed.
bool image_to_input(std::int32_t width, std::int32_t height, PixelLayout layout, RowSource& source,
                    const ByteScale& scale, std::int32_t side, OutType type, void* out) noexcept;

}  // namespace bindrt::kernels
