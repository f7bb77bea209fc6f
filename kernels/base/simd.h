// Vectors of N float lanes by the compiler's vector extension: one source for every instruction set.
// Arithmetic (+ - * and comparisons) works lane by lane; a lane's result does not depend on N.
//
// N is what a level's registers hold: lanes_of<level>. Functions that take vectors are always inlined,
// for a vector in a call's arguments would have another ABI at each level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "kernels/base/dispatch.h"
#include "kernels/base/logarithm.h"

namespace bindrt::kernels::simd {

template <class T, int N>
struct Vector {
  typedef T Type __attribute__((vector_size(N * sizeof(T))));
};

template <int N>
using Float = typename Vector<float, N>::Type;
template <int N>
using Double = typename Vector<double, N>::Type;
template <int N>
using Int = typename Vector<std::int32_t, N>::Type;
template <int N>
using Word = typename Vector<std::uint32_t, N>::Type;
template <int N>
using Half = typename Vector<std::uint16_t, N>::Type;

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
  using Lane = std::remove_cvref_t<decltype(a[0])>;
  return typename Vector<Lane, static_cast<int>(sizeof...(I))>::Type{
      (I < lanes ? a[I % lanes] : b[I % lanes])...};
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

namespace detail {

template <bool kHigh, class V, std::size_t... I>
BINDRT_INLINE V interleave(const V& a, const V& b, std::index_sequence<I...>) noexcept {
  constexpr std::size_t lanes = sizeof...(I);
  constexpr std::size_t group = 16 / sizeof(a[0]);
  constexpr std::size_t from = kHigh ? group / 2 : 0;
  return shuffle<static_cast<int>(I % 2 * lanes + I / group * group + from + I % group / 2)...>(a, b);
}

}  // namespace detail

// From each 16 bytes of `a` and `b`: the lanes of their first halves in turn, or those of their last halves.
template <class V>
BINDRT_INLINE V interleave_low(const V& a, const V& b) noexcept {
  return detail::interleave<false>(a, b, std::make_index_sequence<sizeof(V) / sizeof(a[0])>());
}
template <class V>
BINDRT_INLINE V interleave_high(const V& a, const V& b) noexcept {
  return detail::interleave<true>(a, b, std::make_index_sequence<sizeof(V) / sizeof(a[0])>());
}

// Turns the square block of each 16 bytes, as many rows as 16 bytes have lanes: lane r of row[c] and lane c
// of row[r] change places. Every round rotates the digits of row and lane, read as one binary number, by one.
template <class V, int kRows>
BINDRT_INLINE void transpose(V (&row)[kRows]) noexcept {
  static_assert(kRows * sizeof(row[0][0]) == 16);
  for (int round = kRows; round > 1; round /= 2) {
    V turned[kRows];
    for (int i = 0; i < kRows / 2; ++i) {
      turned[2 * i] = interleave_low(row[i], row[i + kRows / 2]);
      turned[2 * i + 1] = interleave_high(row[i], row[i + kRows / 2]);
    }
    for (int i = 0; i < kRows; ++i) {
      row[i] = turned[i];
    }
  }
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
    transpose(row);
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
