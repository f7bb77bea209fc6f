// Sixteen float lanes in whatever vectors a level's registers hold: what is computed with them has the same
// bits at every level.
#pragma once

#include <cstdint>
#include <utility>

#include "kernels/base/simd.h"

namespace bindrt::native::lanes {

namespace simd = kernels::simd;

inline constexpr std::int64_t kLanes = 16;

// N is the lanes of a register.
template <int N>
struct Lanes {
  static constexpr int kParts = static_cast<int>(kLanes) / N;
  simd::Float<N> part[kParts];
};

template <int N>
BINDRT_INLINE Lanes<N> all(float value) noexcept {
  Lanes<N> result;
  for (auto& part : result.part) {
    part = simd::broadcast<N>(value);
  }
  return result;
}

template <int N>
BINDRT_INLINE Lanes<N> load(const float* from) noexcept {
  Lanes<N> result;
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    result.part[i] = simd::load<simd::Float<N>>(from + i * N);
  }
  return result;
}

template <int N>
BINDRT_INLINE void store(float* to, const Lanes<N>& value) noexcept {
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    simd::store(to + i * N, value.part[i]);
  }
}

// bfloat16 numbers, widened.
template <int N>
BINDRT_INLINE Lanes<N> load_bf16(const std::uint16_t* from) noexcept {
  Lanes<N> result;
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    const auto narrow = simd::load<simd::Half<N>>(from + i * N);
    const simd::Word<N> bits = __builtin_convertvector(narrow, simd::Word<N>) << 16;
    result.part[i] = reinterpret_cast<simd::Float<N>>(bits);
  }
  return result;
}

// As to_bf16 of numbers.h.
template <int N>
BINDRT_INLINE void store_bf16(std::uint16_t* to, const Lanes<N>& value) noexcept {
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    const auto bits = reinterpret_cast<simd::Word<N>>(value.part[i]);
    const auto nan = reinterpret_cast<simd::Word<N>>((bits & 0x7FFFFFFFU) > 0x7F800000U);
    const simd::Word<N> rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
    const simd::Word<N> high = ((nan & (bits | 0x00400000U)) | (~nan & rounded)) >> 16;
    simd::store(to + i * N, __builtin_convertvector(high, simd::Half<N>));
  }
}

namespace detail {

template <int N, std::size_t... I>
BINDRT_INLINE simd::Half<2 * N> odd_halves(const simd::Float<N>& a, const simd::Float<N>& b,
                                           std::index_sequence<I...>) noexcept {
  return simd::shuffle<static_cast<int>(2 * I + 1)...>(reinterpret_cast<simd::Half<2 * N>>(a),
                                                       reinterpret_cast<simd::Half<2 * N>>(b));
}

}  // namespace detail

// The upper halves of the numbers of `a`, then of `b`.
template <int N>
BINDRT_INLINE void store_upper_halves(std::uint16_t* to, const simd::Float<N>& a,
                                      const simd::Float<N>& b) noexcept {
  simd::store(to, detail::odd_halves<N>(a, b, std::make_index_sequence<2 * N>()));
}

// `value` in the lanes before `count`, `other` in those from there on; lanes are counted from `first`.
template <int N>
BINDRT_INLINE simd::Float<N> before(std::int64_t count, std::int64_t first, const simd::Float<N>& value,
                                    float other) noexcept {
  constexpr std::int32_t kNumber[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto number = simd::load<simd::Int<N>>(kNumber) + static_cast<std::int32_t>(first);
  return number < static_cast<std::int32_t>(count) ? value : simd::broadcast<N>(other);
}

template <int N>
BINDRT_INLINE void add(Lanes<N>& sum, const Lanes<N>& value) noexcept {
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    sum.part[i] = sum.part[i] + value.part[i];
  }
}

// The larger of two in each lane; `most` where `value` is NaN.
template <int N>
BINDRT_INLINE void raise(Lanes<N>& most, const Lanes<N>& value) noexcept {
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    most.part[i] = value.part[i] > most.part[i] ? value.part[i] : most.part[i];
  }
}

template <int N>
BINDRT_INLINE Lanes<N> magnitude(const Lanes<N>& value) noexcept {
  Lanes<N> result;
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    const simd::Word<N> bits = reinterpret_cast<simd::Word<N>>(value.part[i]) & 0x7FFFFFFFU;
    result.part[i] = reinterpret_cast<simd::Float<N>>(bits);
  }
  return result;
}

// Sum of the lanes, as a tree.
template <int N>
BINDRT_INLINE float total(const Lanes<N>& value) noexcept {
  float lane[kLanes];
  store(lane, value);
  for (int width = static_cast<int>(kLanes) / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) {
      lane[i] = lane[i] + lane[i + width];
    }
  }
  return lane[0];
}

template <int N>
BINDRT_INLINE float largest(const Lanes<N>& value) noexcept {
  float lane[kLanes];
  store(lane, value);
  for (int width = static_cast<int>(kLanes) / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) {
      lane[i] = lane[i + width] > lane[i] ? lane[i + width] : lane[i];
    }
  }
  return lane[0];
}

}  // namespace bindrt::native::lanes
