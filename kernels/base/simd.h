// Vectors of N float lanes by the compiler's vector extension: one source for every instruction set.
// Arithmetic (+ - * and comparisons) works lane by lane; a lane's result does not depend on N.
//
// N is what a level's registers hold: lanes_of<level>. Functions that take vectors are always inlined,
// for a vector in a call's arguments would have another ABI at each level.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/base/dispatch.h"
#include "kernels/base/logarithm.h"

namespace bindrt::kernels::simd {

template <int N>
struct Types {
  typedef float Float __attribute__((vector_size(N * sizeof(float))));
  typedef double Double __attribute__((vector_size(N * sizeof(double))));
  typedef std::int32_t Int __attribute__((vector_size(N * sizeof(std::int32_t))));
  typedef std::uint32_t Word __attribute__((vector_size(N * sizeof(std::uint32_t))));
  typedef std::uint16_t Half __attribute__((vector_size(N * sizeof(std::uint16_t))));
};

template <int N>
using Float = typename Types<N>::Float;
template <int N>
using Double = typename Types<N>::Double;
template <int N>
using Int = typename Types<N>::Int;
template <int N>
using Word = typename Types<N>::Word;
template <int N>
using Half = typename Types<N>::Half;

template <class V>
BINDRT_INLINE V load(const void* from) noexcept {
  V value;
  std::memcpy(&value, from, sizeof(V));
  return value;
}

template <class V>
BINDRT_INLINE void store(void* to, const V& value) noexcept {
  std::memcpy(to, &value, sizeof(V));
}

template <int N>
BINDRT_INLINE Float<N> broadcast(float value) noexcept {
  return Float<N>{} + value;
}

// The lanes `I` of `a` followed by `b`. Result is a vector of sizeof...(I) lanes.
template <int... I, class V>
BINDRT_INLINE auto shuffle(const V& a, const V& b) noexcept {
#if defined(__clang__) || __GNUC__ >= 12
  return __builtin_shufflevector(a, b, I...);
#else
  constexpr int lanes = static_cast<int>(sizeof(V) / sizeof(a[0]));
  return Float<static_cast<int>(sizeof...(I))>{(I < lanes ? a[I % lanes] : b[I % lanes])...};
#endif
}

// Four lanes from each of N / 4 places, side by side.
template <int N>
BINDRT_INLINE Float<N> gather_quads(const float* const* from, std::int64_t at) noexcept {
  if constexpr (N == 4) {
    return load<Float<4>>(from[0] + at);
  } else if constexpr (N == 8) {
    return shuffle<0, 1, 2, 3, 4, 5, 6, 7>(load<Float<4>>(from[0] + at), load<Float<4>>(from[4] + at));
  } else {
    static_assert(N == 16);
    return shuffle<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>(gather_quads<8>(from, at),
                                                                         gather_quads<8>(from + 8, at));
  }
}

// From each quad of four lanes: the first two lanes of `a` and `b` in turn, or the last two.
template <int N>
BINDRT_INLINE Float<N> interleave_low(const Float<N>& a, const Float<N>& b) noexcept {
  if constexpr (N == 4) {
    return shuffle<0, 4, 1, 5>(a, b);
  } else if constexpr (N == 8) {
    return shuffle<0, 8, 1, 9, 4, 12, 5, 13>(a, b);
  } else {
    return shuffle<0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29>(a, b);
  }
}

template <int N>
BINDRT_INLINE Float<N> interleave_high(const Float<N>& a, const Float<N>& b) noexcept {
  if constexpr (N == 4) {
    return shuffle<2, 6, 3, 7>(a, b);
  } else if constexpr (N == 8) {
    return shuffle<2, 10, 3, 11, 6, 14, 7, 15>(a, b);
  } else {
    return shuffle<2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31>(a, b);
  }
}

// Turns the 4x4 block of each quad: lane r of row[c] and lane c of row[r] change places.
template <int N>
BINDRT_INLINE void transpose_quads(Float<N> (&row)[4]) noexcept {
  const Float<N> even_low = interleave_low<N>(row[0], row[2]);
  const Float<N> odd_low = interleave_low<N>(row[1], row[3]);
  const Float<N> even_high = interleave_high<N>(row[0], row[2]);
  const Float<N> odd_high = interleave_high<N>(row[1], row[3]);
  row[0] = interleave_low<N>(even_low, odd_low);
  row[1] = interleave_high<N>(even_low, odd_low);
  row[2] = interleave_low<N>(even_high, odd_high);
  row[3] = interleave_high<N>(even_high, odd_high);
}

// Numbers at … at + 3 of N places: lane i of row[r] is from[i][at + r].
template <int N>
BINDRT_INLINE void load_columns(const float* const* from, std::int64_t at, Float<N> (&row)[4]) noexcept {
  if constexpr (N == 2) {
    const auto first = load<Float<4>>(from[0] + at);
    const auto second = load<Float<4>>(from[1] + at);
    row[0] = shuffle<0, 4>(first, second);
    row[1] = shuffle<1, 5>(first, second);
    row[2] = shuffle<2, 6>(first, second);
    row[3] = shuffle<3, 7>(first, second);
  } else {
    for (int r = 0; r < 4; ++r) {
      row[r] = gather_quads<N>(from + r, at);
    }
    transpose_quads<N>(row);
  }
}

// logarithm() of each lane.
template <int N>
BINDRT_INLINE Float<N> logarithm(const Float<N>& x) noexcept {
  const Word<N> bits = reinterpret_cast<Word<N>>(x);
  const Int<N> exponent = reinterpret_cast<Int<N>>(bits - kLogOffset) >> 23;
  const Word<N> one_plus_f = bits - (reinterpret_cast<Word<N>>(exponent) << 23);
  return log_of_parts(reinterpret_cast<Float<N>>(one_plus_f) - 1.0F,
                      __builtin_convertvector(exponent, Float<N>));
}

// IEEE binary16 of each lane, as to_half of portable.h.
template <int N>
BINDRT_INLINE Half<N> halves(const Float<N>& value) noexcept {
  const Word<N> bits = reinterpret_cast<Word<N>>(value);
  const Word<N> sign = (bits >> 16) & 0x8000U;
  const Word<N> magnitude = bits & 0x7FFFFFFFU;
  const Word<N> nan = reinterpret_cast<Word<N>>(magnitude > 0x7F800000U) & 0x0200U;
  const Float<N> shifted = reinterpret_cast<Float<N>>(magnitude) + 0.5F;
  const Word<N> small = reinterpret_cast<Word<N>>(shifted) - 0x3F000000U;
  const Word<N> normal = (magnitude + 0xFFFU + ((magnitude >> 13) & 1U) - 0x38000000U) >> 13;
  const Word<N> is_large = reinterpret_cast<Word<N>>(magnitude >= 0x47800000U);
  const Word<N> is_small = reinterpret_cast<Word<N>>(magnitude < 0x38800000U);
  const Word<N> body = (is_small & small) | (~is_small & normal);
  const Word<N> wide = sign | (is_large & (0x7C00U | nan)) | (~is_large & body);
  return __builtin_convertvector(wide, Half<N>);
}

}  // namespace bindrt::kernels::simd
