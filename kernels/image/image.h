// Pictures: the centre square of an antialiased bicubic resize on 8 bits, exactly as Pillow makes it,
// normalised into a batch. Pixels outside the square are not computed.
#pragma once

#include <cstdint>

#include "kernels/base/portable.h"
#include "kernels/image/image_params.h"

namespace bindrt::kernels {

struct Picture {
  const std::uint8_t* pixels;
  std::int32_t width;       // >= 1
  std::int32_t height;      // >= 1
  std::int64_t row_stride;  // bytes from a row to the next; may be negative
  PixelLayout layout;
};

// The shorter side becomes `side`, the longer one follows in proportion, and the centre is kept. The
// horizontal pass comes first, then the vertical one; each is rounded and clipped to 8 bits. `side` is 1 to
// kMostSide. All functions return false if there is no memory; `out` is undefined then.

// `out`: numbers of `type`, [planes, frames, side, side]: the picture as so many equal frames of a video.
bool image_to_input(const Picture& picture, const ByteScale& scale, std::int32_t side, OutType type,
                    void* out, int threads, std::int32_t frames = 1) noexcept;

// `out`: [side, side, 3], in the order R, G, B, or [side, side] for grey pictures.
bool image_to_bytes(const Picture& picture, std::int32_t side, std::uint8_t* out, int threads) noexcept;

// The part of a picture that its centre square depends on.
struct ImageWindow {
  std::int32_t first_column;
  std::int32_t columns;
  std::int32_t first_row;
  std::int32_t rows;
};

// Returns false if there is no memory.
bool image_window(std::int32_t width, std::int32_t height, std::int32_t side, ImageWindow& window) noexcept;

// Gives the rows of a picture one after the other, as a decoder does.
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

// Does the same for a picture of this size and layout, whose window `source` gives, each row once. Returns
// false also if the source failed.
bool image_to_input(std::int32_t width, std::int32_t height, PixelLayout layout, RowSource& source,
                    const ByteScale& scale, std::int32_t side, OutType type, void* out,
                    std::int32_t frames = 1) noexcept;

bool image_to_bytes(std::int32_t width, std::int32_t height, PixelLayout layout, RowSource& source,
                    std::int32_t side, std::uint8_t* out) noexcept;

}  // namespace bindrt::kernels
