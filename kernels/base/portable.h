// What an op's arithmetic needs to be written once, for the CPU, for NVRTC (which has no standard headers)
// and for the simulator of tests/cudasim.
#pragma once

#if defined(__CUDACC_RTC__)
namespace std {
using int8_t = signed char;
using uint8_t = unsigned char;
using int16_t = short;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;
using size_t = decltype(sizeof(0));
}  // namespace std
#else
#include <cstddef>
#include <cstdint>
#endif

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define BINDRT_HD __host__ __device__ __forceinline__
#else
#define BINDRT_HD [[gnu::always_inline]] inline
#endif

namespace bindrt::kernels {

// The type of the numbers that an op writes into a batch.
enum class OutType : std::int32_t { kFloat32 = 0, kFloat16 = 1 };

BINDRT_HD std::uint32_t float_bits(float value) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(value);
#else
  return __builtin_bit_cast(std::uint32_t, value);
#endif
}

BINDRT_HD float bits_float(std::uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  return __builtin_bit_cast(float, bits);
#endif
}

// IEEE binary16 of a float: nearest, halves to even; too large becomes infinity, NaN stays NaN.
BINDRT_HD std::uint16_t to_half(float value) {
  const std::uint32_t bits = float_bits(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude >= 0x47800000U) {  // 65536 and beyond, infinity, NaN
    const std::uint32_t nan = magnitude > 0x7F800000U ? 0x0200U : 0U;
    return static_cast<std::uint16_t>(sign | 0x7C00U | nan);
  }
  if (magnitude < 0x38800000U) {  // below 2^-14: adding 0.5 aligns and rounds the subnormal's digits
    const float shifted = bits_float(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (float_bits(shifted) - 0x3F000000U));
  }
  const std::uint32_t rounded = magnitude + 0xFFFU + ((magnitude >> 13) & 1U);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13));
}

// Writes number `index` of `out`, which holds numbers of `type`.
BINDRT_HD void store(void* out, OutType type, std::int64_t index, float value) {
  if (type == OutType::kFloat32) {
    static_cast<float*>(out)[index] = value;
  } else {
    static_cast<std::uint16_t*>(out)[index] = to_half(value);
  }
}

}  // namespace bindrt::kernels
