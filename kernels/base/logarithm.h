// The natural logarithm of normal positive floats, within 1.5 units in the last place; the same bits on
// every machine.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

// log(2^exponent (1 + f)), for f in sqrt(1/2) - 1 … sqrt(2) - 1. T is float or a vector of floats.
template <class T>
BINDRT_HD T log_of_parts(const T& f, const T& exponent) {
  const T square = f * f;
  T tail = f * 0.07149753719568253F - 0.115712009370327F;  // (log(1 + f) - f + f^2 / 2) / f^3
  tail = tail * f + 0.11661510914564133F;
  tail = tail * f - 0.12411050498485565F;
  tail = tail * f + 0.14249937236309052F;
  tail = tail * f - 0.1666848063468933F;
  tail = tail * f + 0.20000708103179932F;
  tail = tail * f - 0.24999989569187164F;
  tail = tail * f + 0.3333333134651184F;
  T sum = tail * square * f;
  sum = sum - exponent * 2.12194440e-4F;  // log(2) = 0.693359375 - 2.1219444e-4, the first part exact
  sum = sum - square * 0.5F;
  return (sum + f) + exponent * 0.693359375F;
}

// Bits of sqrt(1/2): what is subtracted so that the exponent counts from there.
inline constexpr std::uint32_t kLogOffset = 0x3F3504F3U;

BINDRT_HD float logarithm(float x) {
  const auto exponent = static_cast<std::int32_t>(float_bits(x) - kLogOffset) >> 23;
  const float one_plus_f = bits_float(float_bits(x) - (static_cast<std::uint32_t>(exponent) << 23));
  return log_of_parts(one_plus_f - 1.0F, static_cast<float>(exponent));
}

}  // namespace bindrt::kernels
