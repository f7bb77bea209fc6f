// A pixel at a time, its bytes side by side in a vector: every pixel waits for the one before it.
#include "csrc/png/unfilter.h"

#include <cstring>
#include <type_traits>

#include "kernels/base/simd.h"

namespace bindrt::png {
namespace {

using Bytes = kernels::simd::Vector<std::uint8_t, 8>::Type;
using Lanes = kernels::simd::Vector<std::int16_t, 8>::Type;

// What holds the bytes of a pixel: a number for one, else a vector with a byte in each lane.
template <int kBytes>
using Pixel = std::conditional_t<kBytes == 1, std::int32_t, Lanes>;

template <int kBytes>
BINDRT_INLINE Pixel<kBytes> load(const std::uint8_t* from) noexcept {
  if constexpr (kBytes == 1) {
    return *from;
  } else {
    // Odd sizes read more: bytes of the next pixel, in lanes that are not stored.
    constexpr std::size_t read = kBytes == 3 ? 4 : kBytes == 6 ? 8 : kBytes;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, from, read);
    return __builtin_convertvector(reinterpret_cast<Bytes>(bytes), Lanes);
  }
}

template <int kBytes>
BINDRT_INLINE void store(std::uint8_t* to, const Pixel<kBytes>& pixel) noexcept {
  if constexpr (kBytes == 1) {
    *to = static_cast<std::uint8_t>(pixel);
  } else {
    const Bytes bytes = __builtin_convertvector(pixel, Bytes);
    std::memcpy(to, &bytes, kBytes);
  }
}

// All bits of a lane, or none. Never a jump: it would be foreseen half of the time.
BINDRT_INLINE std::int32_t is_less(std::int32_t a, std::int32_t b) noexcept { return (a - b) >> 31; }
BINDRT_INLINE Lanes is_less(const Lanes& a, const Lanes& b) noexcept { return a < b; }

template <class Value>
BINDRT_INLINE Value pick(const Value& mask, const Value& yes, const Value& no) noexcept {
  return (yes & mask) | (no & ~mask);
}

BINDRT_INLINE std::int32_t magnitude(std::int32_t value) noexcept {
  const std::int32_t mask = value >> 31;
  return (value ^ mask) - mask;
}
BINDRT_INLINE Lanes magnitude(const Lanes& value) noexcept {
  const Lanes negative = -value;
  return value > negative ? value : negative;
}

// Each gives a pixel from what is stored and from its neighbours. The next pixel waits for it, so what does
// not depend on the left one is computed apart.

struct Sub {
  template <class Value>
  BINDRT_INLINE static Value restore(const Value& stored, const Value& left, const Value&,
                                     const Value&) noexcept {
    return (stored + left) & 255;
  }
};

struct Average {
  template <class Value>
  BINDRT_INLINE static Value restore(const Value& stored, const Value& left, const Value& above,
                                     const Value&) noexcept {
    return (stored + ((left + above) >> 1)) & 255;
  }
};

// The guess is whichever of the three is nearest to left + above - corner; of equally near ones the first.
struct Paeth {
  template <class Value>
  BINDRT_INLINE static Value restore(const Value& stored, const Value& left, const Value& above,
                                     const Value& corner) noexcept {
    const Value by_above = (stored + above) & 255;
    const Value by_corner = (stored + corner) & 255;
    const Value down = above - corner;
    const Value from_left = magnitude(down);
    const Value across = left - corner;
    const Value from_above = magnitude(across);
    const Value from_corner = magnitude(Value(down + across));
    const Value not_above = is_less(from_corner, from_above);
    const Value not_left = is_less(from_above, from_left) | is_less(from_corner, from_left);
    const Value by_left = (stored + left) & 255;
    return pick<Value>(not_left, pick<Value>(not_above, by_corner, by_above), by_left);
  }
};

template <class Filter, int kBytes>
void restore(const std::uint8_t* above, std::uint8_t* row, std::size_t size) noexcept {
  Pixel<kBytes> left{};
  Pixel<kBytes> corner{};
  for (std::size_t i = 0; i < size; i += kBytes) {
    const Pixel<kBytes> up = load<kBytes>(above + i);
    left = Filter::template restore<Pixel<kBytes>>(load<kBytes>(row + i), left, up, corner);
    corner = up;
    store<kBytes>(row + i, left);
  }
}

void add_above(const std::uint8_t* above, std::uint8_t* __restrict row, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    row[i] = static_cast<std::uint8_t>(row[i] + above[i]);
  }
}

template <int kBytes>
void restore_row(std::uint8_t filter, const std::uint8_t* above, std::uint8_t* row,
                 std::size_t size) noexcept {
  switch (filter) {
    case 1:
      return restore<Sub, kBytes>(above, row, size);
    case 2:
      return add_above(above, row, size);
    case 3:
      return restore<Average, kBytes>(above, row, size);
    case 4:
      return restore<Paeth, kBytes>(above, row, size);
    default:
      return;  // stored as it is
  }
}

}  // namespace

void unfilter(std::uint8_t filter, std::int32_t pixel_bytes, const std::uint8_t* above, std::uint8_t* row,
              std::size_t size) noexcept {
  switch (pixel_bytes) {
    case 1:
      return restore_row<1>(filter, above, row, size);
    case 2:
      return restore_row<2>(filter, above, row, size);
    case 3:
      return restore_row<3>(filter, above, row, size);
    case 4:
      return restore_row<4>(filter, above, row, size);
    case 6:
      return restore_row<6>(filter, above, row, size);
    default:
      return restore_row<8>(filter, above, row, size);
  }
}

}  // namespace bindrt::png
