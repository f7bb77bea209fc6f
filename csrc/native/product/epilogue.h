// What follows the sums of a product, for every instruction set with the same bits: the arithmetic is written
// once and compiled for each by its callers (kernels/base/dispatch.h). A product leaves the sums of some rows
// and one panel in memory; they are still in the nearest cache.
#pragma once

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

inline constexpr float kNoBias[kPanel] = {};

// What a row's sums of one panel become numbers by.
struct Row {
  const float* bias;
  const float* scale;        // int8, as the rest
  const std::int32_t* zero;  // a column's sum of products with 128
  float step;
};

BINDRT_INLINE float value(const Row& row, float sum, std::int64_t n) { return sum + row.bias[n]; }

BINDRT_INLINE float value(const Row& row, std::int32_t sum, std::int64_t n) {
  return static_cast<float>(sum - row.zero[n]) * row.scale[n] * row.step + row.bias[n];
}

BINDRT_INLINE void put(float* to, float y) { *to = y; }
BINDRT_INLINE void put(std::uint16_t* to, float y) { *to = to_bf16(y); }

// One pass over the columns, so that nothing is stored in between.
template <After kAfter, class Sum, class Number>
BINDRT_INLINE void finish_as(const Row& row, const Sum* sums, std::int64_t columns, Number* to) {
  BINDRT_INDEPENDENT
  for (std::int64_t n = 0; n < columns; ++n) {
    const float y = value(row, sums[n], n);
    if constexpr (kAfter == After::kAdd) {
      to[n] += y;
    } else {
      put(to + n, kAfter == After::kGelu ? gelu(y) : y);
    }
  }
}

template <class Sum>
BINDRT_INLINE void finish_target(const Row& row, const Sum* sums, std::int64_t columns, std::int64_t at,
                                 const Target& target) {
  if (target.bf16) {
    std::uint16_t* const to = static_cast<std::uint16_t*>(target.data) + at;
    target.after == After::kGelu ? finish_as<After::kGelu>(row, sums, columns, to)
                                 : finish_as<After::kStore>(row, sums, columns, to);
    return;
  }
  float* const to = static_cast<float*>(target.data) + at;
  switch (target.after) {
    case After::kStore:
      return finish_as<After::kStore>(row, sums, columns, to);
    case After::kGelu:
      return finish_as<After::kGelu>(row, sums, columns, to);
    case After::kAdd:
      return finish_as<After::kAdd>(row, sums, columns, to);
  }
}

}  // namespace detail

// Ends kColumns columns of one row, from `first`; they lie in one panel. Sums are float, or std::int32_t for
// int8.
template <std::int64_t kColumns, class Sum>
BINDRT_INLINE void finish_columns(const PackedWeight& weight, const Activations& rows_in, std::int64_t row,
                                  std::int64_t first, const Sum* sums, const Target& target) {
  constexpr bool kWhole = std::is_same_v<Sum, std::int32_t>;
  const detail::Row parts{weight.bias == nullptr ? detail::kNoBias : weight.bias + first,
                          kWhole ? weight.scale + first : nullptr, kWhole ? weight.sums + first : nullptr,
                          kWhole ? rows_in.steps[row] : 0.0F};
  const std::int64_t at = row * target.stride + first;
  if (weight.outputs - first >= kColumns) {  // a constant count makes whole vectors
    detail::finish_target(parts, sums, kColumns, at, target);
  } else {
    detail::finish_target(parts, sums, weight.outputs - first, at, target);
  }
}

// Ends one row of one panel.
template <class Sum>
BINDRT_INLINE void finish_row(const PackedWeight& weight, const Activations& rows_in, std::int64_t row,
                              std::int64_t panel, const Sum* sums, const Target& target) {
  finish_columns<kPanel>(weight, rows_in, row, panel * kPanel, sums, target);
}

}  // namespace bindrt::native
