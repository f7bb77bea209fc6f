// Sixteen float lanes in whatever vectors a level's registers hold: what is computed with them has the same
// bits at every level.
#pragma once

#include <algorithm>
#include <cstdint>

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

// As to_bf16 of numbers.h, but for NaN, which stays one.
template <int N>
BINDRT_INLINE simd::Word<N> rounded_bits(const simd::Float<N>& value) noexcept {
  const auto bits = reinterpret_cast<simd::Word<N>>(value);
  return bits + 0x7FFFU + ((bits >> 16) & 1U);
}

// As to_bf16 of numbers.h.
template <int N>
BINDRT_INLINE void store_bf16(std::uint16_t* to, const Lanes<N>& value) noexcept {
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    const auto bits = reinterpret_cast<simd::Word<N>>(value.part[i]);
    const auto nan = reinterpret_cast<simd::Word<N>>((bits & 0x7FFFFFFFU) > 0x7F800000U);
    const simd::Word<N> wide = (nan & (bits | 0x00400000U)) | (~nan & rounded_bits<N>(value.part[i]));
    const simd::Word<N> high = wide >> 16;
    simd::store(to + i * N, __builtin_convertvector(high, simd::Half<N>));
  }
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
  return *std::max_element(lane, lane + kLanes);
}

}  // namespace bindrt::native::lanes
