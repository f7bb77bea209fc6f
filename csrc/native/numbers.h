// Number types of the native engine, and conversions between them.
#pragma once

#include <cstdint>

#include "kernels/base/portable.h"

namespace bindrt::native {

// What a product computes with. Sums are float32, those of int8 exact in 32 bits.
enum class Numbers : std::int32_t { kFloat32 = 0, kBf16 = 1, kInt8 = 2 };

// How a bundle stores a tensor.
enum class Stored : std::int32_t { kFloat32 = 0, kFloat16 = 1, kBf16 = 2, kInt8 = 3 };

constexpr std::int64_t bytes_of(Numbers numbers) {
  return numbers == Numbers::kFloat32 ? 4 : numbers == Numbers::kBf16 ? 2 : 1;
}

// bfloat16 of a float: the nearest, halves to even; NaN stays NaN.
BINDRT_HD std::uint16_t to_bf16(float value) {
  const std::uint32_t bits = kernels::float_bits(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    return static_cast<std::uint16_t>((bits >> 16) | 0x0040U);
  }
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

BINDRT_HD float from_bf16(std::uint16_t value) {
  return kernels::bits_float(static_cast<std::uint32_t>(value) << 16);
}

BINDRT_HD float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t rest = half & 0x7FFFU;
  if (rest >= 0x7C00U) {  // infinity, NaN
    return kernels::bits_float(sign | 0x7F800000U | (rest & 0x3FFU) << 13);
  }
  // The exponent's bias is made float32's by a product, which subnormal numbers pass as well.
  return kernels::bits_float(sign | kernels::float_bits(kernels::bits_float(rest << 13) * 0x1p112F));
}

// Number `at` of a tensor of floats.
BINDRT_HD float stored_number(Stored stored, const void* from, std::int64_t at) {
  if (stored == Stored::kFloat32) {
    return static_cast<const float*>(from)[at];
  }
  const std::uint16_t value = static_cast<const std::uint16_t*>(from)[at];
  return stored == Stored::kBf16 ? from_bf16(value) : from_half(value);
}

}  // namespace bindrt::native
