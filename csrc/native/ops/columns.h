// Numbers of attention's keys and values in the order in which the products of few_rows.h read them.
#pragma once

#include <cstdint>

namespace bindrt::native {

// A unit of a product is a float, or two bfloat16: 4 bytes.
enum class Units {
  kFloats,   // float32 from float32
  kWidened,  // float32 from bfloat16
  kPairs,    // pairs of bfloat16; a lone last one stands with a zero
};

constexpr std::int64_t units_of(Units units, std::int64_t numbers) {
  return units == Units::kPairs ? (numbers + 1) / 2 : numbers;
}

inline constexpr std::int64_t kTogether = 16;

// Up to 16 rows of `width` numbers, each unit of all of them side by side: to[unit · stride + row]; zeros for
// the rows that are not there.
void turn_rows(Units units, const void* const* rows, std::int64_t count, std::int64_t width,
               std::uint32_t* to, std::int64_t stride) noexcept;
// The units of one row.
void copy_row(Units units, const void* row, std::int64_t width, std::uint32_t* to) noexcept;
// Numbers of one row and of the next (null: zeros) in turn, as pairs.
void pair_rows(const void* row, const void* next, std::int64_t width, std::uint32_t* to) noexcept;

}  // namespace bindrt::native
