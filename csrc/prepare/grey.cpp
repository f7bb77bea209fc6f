// Grey of colours, as Pillow computes it.
#include "csrc/prepare/grey.h"

#include <algorithm>
#include <cstring>

#include "csrc/prepare/picture_numbers.h"

namespace bindrt::prepare {
namespace {

constexpr std::int32_t kBlock = 16;  // rows that are asked for at once, at most

// A weighted sum with 16 bits behind the point.
std::uint8_t grey_of(std::uint32_t red, std::uint32_t green, std::uint32_t blue) noexcept {
  constexpr std::uint32_t kRed = 19595, kGreen = 38470, kBlue = 7471, kHalf = 1U << 15;
  return static_cast<std::uint8_t>((kRed * red + kGreen * green + kBlue * blue + kHalf) >> 16);
}

// False if they are colours.
bool grey_row(const std::uint8_t* row, std::int32_t step, std::int32_t width, std::uint8_t* out) noexcept {
  std::int32_t widest = 0;
  for (std::int32_t x = 0; x < width; ++x, row += step) {
    const auto [least, most] = std::minmax({row[0], row[1], row[2]});
    widest = std::max(widest, most - least);
    out[x] = grey_of(row[0], row[1], row[2]);
  }
  return widest <= kChroma;
}

}  // namespace

bool read_grey(kernels::RowSource& source, kernels::PixelLayout layout, std::int32_t width,
               std::int32_t height, std::uint8_t* out) noexcept {
  const std::int32_t step = kernels::pixel_bytes(layout);
  const auto columns = static_cast<std::size_t>(width);
  const std::uint8_t* rows[kBlock];
  for (std::int32_t y = 0; y < height; y += kBlock) {
    const std::int32_t count = std::min(kBlock, height - y);
    if (!source.next(count, rows)) {
      return false;
    }
    for (std::int32_t i = 0; i < count; ++i, out += columns) {
      if (step == 1) {
        std::memcpy(out, rows[i], columns);
      } else if (!grey_row(rows[i], step, width, out)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace bindrt::prepare
