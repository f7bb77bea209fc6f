// Sums of 8-bit pixels with weights in whole units, as Pillow makes them.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

inline constexpr int kFixedBits = 22;                                            // a weight's unit is 2^-22
inline constexpr std::int32_t kFixedHalf = std::int32_t{1} << (kFixedBits - 1);  // where a sum starts

// The sum as a byte: shifted down and clipped.
BINDRT_HD std::uint8_t fixed_to_byte(std::int32_t sum) {
  const std::int32_t value = sum >> kFixedBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

}  // namespace bindrt::kernels
