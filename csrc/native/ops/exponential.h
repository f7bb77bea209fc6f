// e^x for x ≤ 0, of each lane: within 2 units in the last place, the same bits at every level.
#pragma once

#include "csrc/native/ops/lanes.h"

namespace bindrt::native::lanes {

// Below it the result is 0, so that none is subnormal.
inline constexpr float kLeastExponent = -87.0F;

template <int N>
BINDRT_INLINE simd::Float<N> exponential(const simd::Float<N>& x) noexcept {
  constexpr float kToInteger = 12582912.0F;  // added: the nearest integer stands in the low bits
  const simd::Float<N> shifted = x * 1.44269504F + kToInteger;
  const simd::Float<N> n = shifted - kToInteger;
  simd::Float<N> r = x - n * 0.693359375F;  // log(2) in two parts, the first product exact
  r = r + n * 2.12194440e-4F;
  simd::Float<N> tail = r * 1.9875691500e-4F + 1.3981999507e-3F;  // (e^r − 1 − r) / r²
  tail = tail * r + 8.3334519073e-3F;
  tail = tail * r + 4.1665795894e-2F;
  tail = tail * r + 1.6666665459e-1F;
  tail = tail * r + 5.0000001201e-1F;
  const simd::Float<N> power = (tail * (r * r) + r) + 1.0F;
  const simd::Word<N> scaled =
      reinterpret_cast<simd::Word<N>>(power) + (reinterpret_cast<simd::Word<N>>(shifted) << 23);
  const auto kept = reinterpret_cast<simd::Word<N>>(~(x < kLeastExponent));  // NaN stays NaN
  return reinterpret_cast<simd::Float<N>>(scaled & kept);
}

}  // namespace bindrt::native::lanes
