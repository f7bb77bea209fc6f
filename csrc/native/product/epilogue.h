// What follows the sums of a product, for every instruction set with the same bits: the arithmetic is written
// once and compiled for each by its callers (kernels/base/dispatch.h). A product leaves the sums of some rows
// and one panel in memory; they are still in the nearest cache.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "csrc/native/product/product.h"
#include "kernels/base/dispatch.h"

namespace bindrt::native {

// y · ½ · (1 + erf(y/√2)), within 1.3e-7 · |y|. erf(y/√2) = y · p(y²), the polynomial fitted for y² of
// [0, 5.5²], where erf is 1 in float32.
BINDRT_INLINE float gelu(float y) {
  constexpr float kEnd = 5.5F;
  constexpr float kPolynomial[] = {-0.000472817046F, 0.00126310834F, -0.00105832599F, 0.00144024345F,
                                   -0.00483721634F,  0.00924352463F, -0.0136398766F,  0.0204556771F,
                                   -0.0299981367F,   0.0407291278F,  -0.0520965233F,  0.064140521F,
                                   -0.0775855705F,   0.0954752564F,  -0.12834467F,    0.25710386F};
  float end = y < kEnd ? y : kEnd;
  end = end > -kEnd ? end : -kEnd;
  const float s = __builtin_fmaf(end * end, 2.0F / (kEnd * kEnd), -1.0F);  // of [-1, 1]
  float p = kPolynomial[0];
#pragma GCC unroll 16
  for (int i = 1; i < 16; ++i) {
    p = __builtin_fmaf(p, s, kPolynomial[i]);
  }
  const float half = 0.5F * y;
  return __builtin_fmaf(half, end * p, half);
}

namespace detail {

// The first `columns` numbers of a row to the target.
BINDRT_INLINE void put_row(const float* y, std::int64_t row, std::int64_t first, std::int64_t columns,
                           const Target& target) {
  const std::int64_t at = row * target.stride + first;
  if (target.bf16) {
    std::uint16_t* const to = static_cast<std::uint16_t*>(target.data) + at;
    BINDRT_INDEPENDENT
    for (std::int64_t n = 0; n < columns; ++n) {
      to[n] = to_bf16(y[n]);
    }
  } else if (target.after == After::kAdd) {
    float* const to = static_cast<float*>(target.data) + at;
    BINDRT_INDEPENDENT
    for (std::int64_t n = 0; n < columns; ++n) {
      to[n] += y[n];
    }
  } else {
    std::copy_n(y, columns, static_cast<float*>(target.data) + at);
  }
}

}  // namespace detail

// Ends kColumns columns of one row, from `first`; they lie in one panel. Sums are float, or std::int32_t for
// int8.
template <std::int64_t kColumns, class Sum>
BINDRT_INLINE void finish_columns(const PackedWeight& weight, const Activations& rows_in, std::int64_t row,
                                  std::int64_t first, const Sum* sums, const Target& target) {
  alignas(64) float y[kColumns];
  if constexpr (std::is_same_v<Sum, std::int32_t>) {
    const std::int32_t* const zero = weight.sums + first;
    const float* const scale = weight.scale + first;
    const float step = rows_in.steps[row];
    BINDRT_INDEPENDENT
    for (std::int64_t n = 0; n < kColumns; ++n) {
      y[n] = static_cast<float>(sums[n] - zero[n]) * scale[n] * step;
    }
  } else {
    std::copy_n(sums, kColumns, y);
  }
  if (weight.bias != nullptr) {
    const float* const bias = weight.bias + first;
    BINDRT_INDEPENDENT
    for (std::int64_t n = 0; n < kColumns; ++n) {
      y[n] += bias[n];
    }
  }
  if (target.after == After::kGelu) {
    BINDRT_INDEPENDENT
    for (std::int64_t n = 0; n < kColumns; ++n) {
      y[n] = gelu(y[n]);
    }
  }
  if (weight.outputs - first >= kColumns) {  // a constant count makes whole vectors
    detail::put_row(y, row, first, kColumns, target);
  } else {
    detail::put_row(y, row, first, weight.outputs - first, target);
  }
}

// Ends one row of one panel.
template <class Sum>
BINDRT_INLINE void finish_row(const PackedWeight& weight, const Activations& rows_in, std::int64_t row,
                              std::int64_t panel, const Sum* sums, const Target& target) {
  finish_columns<kPanel>(weight, rows_in, row, panel * kPanel, sums, target);
}

}  // namespace bindrt::native
