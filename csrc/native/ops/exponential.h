// e^x for x ≤ 0, of each lane: within 2 units in the last place, the same bits at every level.
#pragma once

#include "csrc/native/ops/lanes.h"

namespace bindrt::native::lanes {

// What is below counts as this, so that no result is subnormal: e^-87 is 1.6e-38.
inline constexpr float kLeastExponent = -87.0F;

// sum = sum · by + add
template <int N, int M>
BINDRT_INLINE void step(simd::Float<N> (&sum)[M], const simd::Float<N> (&by)[M], float add) noexcept {
  for (int i = 0; i < M; ++i) {
    sum[i] = sum[i] * by[i] + add;
  }
}

// M vectors at once, each step for all of them: a processor looks only so far ahead for work that need not
// wait.
template <int N, int M>
BINDRT_INLINE void exponentials(simd::Float<N> (&x)[M]) noexcept {
  constexpr float kToInteger = 12582912.0F;  // added: the nearest integer stands in the low bits
  simd::Float<N> shifted[M], n[M], sum[M];
  for (int i = 0; i < M; ++i) {
    x[i] = kLeastExponent > x[i] ? simd::broadcast<N>(kLeastExponent) : x[i];  // NaN stays
  }
  for (int i = 0; i < M; ++i) {
    shifted[i] = x[i] * 1.44269504F + kToInteger;
  }
  for (int i = 0; i < M; ++i) {
    n[i] = shifted[i] - kToInteger;
  }
  for (int i = 0; i < M; ++i) {  // log(2) in two parts, the first product exact
    x[i] = (x[i] - n[i] * 0.693359375F) + n[i] * 2.12194440e-4F;
  }
  for (int i = 0; i < M; ++i) {  // (e^x − 1 − x) / x²
    sum[i] = x[i] * 0.0013814539415761828F + 0.00836874544620514F;
  }
  step<N, M>(sum, x, 0.04166838899254799F);
  step<N, M>(sum, x, 0.1666652113199234F);
  step<N, M>(sum, x, 0.4999999403953552F);
  for (int i = 0; i < M; ++i) {
    sum[i] = sum[i] * (x[i] * x[i]) + x[i];
  }
  for (int i = 0; i < M; ++i) {
    sum[i] = sum[i] + 1.0F;
  }
  for (int i = 0; i < M; ++i) {
    const simd::Word<N> scaled =
        reinterpret_cast<simd::Word<N>>(sum[i]) + (reinterpret_cast<simd::Word<N>>(shifted[i]) << 23);
    x[i] = reinterpret_cast<simd::Float<N>>(scaled);
  }
}

template <int N>
BINDRT_INLINE simd::Float<N> exponential(const simd::Float<N>& x) noexcept {
  simd::Float<N> one[1] = {x};
  exponentials<N, 1>(one);
  return one[0];
}

}  // namespace bindrt::native::lanes
