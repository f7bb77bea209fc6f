// What a PNG file is made of, for those files that are read here. Whatever is unusual or damaged is left to
// Pillow: interlaced and animated pictures, samples of less than 8 bits, and chunks out of their order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bindrt::png {

enum class Colour : std::uint8_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

struct File {
  std::int32_t width;
  std::int32_t height;
  std::int32_t bits;  // of a sample: 8 or 16
  Colour colour;
  const std::uint8_t* palette;   // red, green, blue of each colour; null if the pixels are no palette's
  std::int32_t palette_colours;  // 1 to 256
  const std::uint8_t* data;      // where the chunks of the pixels begin
  std::size_t packed;            // bytes in them

  bool is_grey() const noexcept { return colour == Colour::kGrey || colour == Colour::kGreyAlpha; }
  std::int32_t pixel_bytes() const noexcept;  // 1, 2, 3, 4, 6 or 8
  std::size_t row_bytes() const noexcept;     // of its pixels; the number of the filter comes before them
};

// False if the file is not for us. `file` points into `bytes`.
bool read_file(const std::uint8_t* bytes, std::size_t size, File& file) noexcept;

// The content of the chunks of the pixels, file.packed bytes: where it lies if that is one chunk, else
// copied to `room`.
const std::uint8_t* packed_pixels(const File& file, std::uint8_t* room) noexcept;

}  // namespace bindrt::png
