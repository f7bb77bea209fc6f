// The filters of PNG: each row is stored as its difference to a guess from the pixels before and above it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bindrt::png {

inline constexpr std::uint8_t kFilters = 5;
// Bytes past a row, and past the row above it, that may be read.
inline constexpr std::size_t kReadPast = 8;

// Puts a row's pixels back, in place.
//   filter       0 to kFilters - 1
//   pixel_bytes  1, 2, 3, 4, 6 or 8
//   above        the row above it; zeros for the first one
//   row, size    bytes of the row
void unfilter(std::uint8_t filter, std::int32_t pixel_bytes, const std::uint8_t* above, std::uint8_t* row,
              std::size_t size) noexcept;

}  // namespace bindrt::png
