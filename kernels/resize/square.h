// Where the centre square of a resized picture lies: shorter side to `side`, longer in proportion.
#pragma once

#include <cstdint>

#include "kernels/resize/antialias.h"

namespace bindrt::kernels {

struct SquareAxes {
  AxisResize across;  // along a row
  AxisResize down;    // along a column
};

// Longer side to `int(side·long/short)`, offset `(longer - side)/2` with halves to even. Sizes >= 1.
inline SquareAxes centre_square(std::int32_t width, std::int32_t height, std::int32_t side,
                                ResizeFilter filter) {
  const bool tall = height > width;
  const std::int32_t longer = tall ? height : width;
  const std::int32_t shorter = tall ? width : height;
  // In double, as Python divides whole numbers: the product is exact, the quotient rounded once.
  const auto size = static_cast<std::int64_t>(static_cast<double>(std::int64_t{side} * longer) / shorter);
  const std::int64_t half = (size - side) / 2;
  const std::int64_t offset = (size - side) % 2 == 0 ? half : half + half % 2;
  AxisResize short_axis{shorter, side, 0, side, filter, 0.0, static_cast<double>(shorter)};
  AxisResize long_axis{longer, size, offset, side, filter, 0.0, static_cast<double>(longer)};
  return tall ? SquareAxes{short_axis, long_axis} : SquareAxes{long_axis, short_axis};
}

}  // namespace bindrt::kernels
