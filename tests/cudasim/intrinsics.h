// CUDA's device functions, with their documented results; where the GPU's are approximations, the exact ones.
// What is missing here is missing because no kernel of ours needs it: add it when one does.
#pragma once

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

// Same types on both sides, as nvcc's ambiguous calls would be errors with some of its versions.
template <class T>
  requires std::is_arithmetic_v<T>
T min(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmin(a, b);
  } else {
    return b < a ? b : a;
  }
}
template <class T>
  requires std::is_arithmetic_v<T>
T max(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmax(a, b);
  } else {
    return a < b ? b : a;
  }
}

// Arithmetic that the compiler must not contract.
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1.0F / a; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __drcp_rn(double a) { return 1.0 / a; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }

// Approximations on the GPU.
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float a) { return std::exp(a); }
inline float __exp10f(float a) { return std::pow(10.0F, a); }
inline float __logf(float a) { return std::log(a); }
inline float __log2f(float a) { return std::log2(a); }
inline float __log10f(float a) { return std::log10(a); }
inline float __powf(float a, float b) { return std::pow(a, b); }
inline float __sinf(float a) { return std::sin(a); }
inline float __cosf(float a) { return std::cos(a); }
inline void __sincosf(float a, float* sine, float* cosine) {
  *sine = std::sin(a);
  *cosine = std::cos(a);
}
inline float __saturatef(float a) { return a > 0.0F ? (a < 1.0F ? a : 1.0F) : 0.0F; }  // NaN: 0
inline float rsqrtf(float a) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a))); }
inline double rsqrt(double a) { return 1.0 / std::sqrt(a); }
inline float sinpif(float a) {
  return static_cast<float>(std::sin(3.14159265358979323846 * std::fmod(a, 2.0)));
}
inline float cospif(float a) {
  return static_cast<float>(std::cos(3.14159265358979323846 * std::fmod(a, 2.0)));
}
inline double sinpi(double a) { return std::sin(3.14159265358979323846 * std::fmod(a, 2.0)); }
inline double cospi(double a) { return std::cos(3.14159265358979323846 * std::fmod(a, 2.0)); }

// Bits.
inline unsigned __float_as_uint(float a) { return std::bit_cast<unsigned>(a); }
inline int __float_as_int(float a) { return std::bit_cast<int>(a); }
inline float __uint_as_float(unsigned a) { return std::bit_cast<float>(a); }
inline float __int_as_float(int a) { return std::bit_cast<float>(a); }
inline long long __double_as_longlong(double a) { return std::bit_cast<long long>(a); }
inline double __longlong_as_double(long long a) { return std::bit_cast<double>(a); }
inline int __clz(int a) { return std::countl_zero(static_cast<unsigned>(a)); }
inline int __clzll(long long a) { return std::countl_zero(static_cast<unsigned long long>(a)); }
inline int __popc(unsigned a) { return std::popcount(a); }
inline int __popcll(unsigned long long a) { return std::popcount(a); }
inline int __ffs(int a) { return a == 0 ? 0 : std::countr_zero(static_cast<unsigned>(a)) + 1; }
inline int __ffsll(long long a) {
  return a == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(a)) + 1;
}
inline unsigned __brev(unsigned a) {
  unsigned reversed = 0;
  for (int bit = 0; bit < 32; ++bit) {
    reversed |= ((a >> bit) & 1U) << (31 - bit);
  }
  return reversed;
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  const std::uint64_t both = (static_cast<std::uint64_t>(high) << 32) | low;
  return static_cast<unsigned>((both << (shift & 31U)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  const std::uint64_t both = (static_cast<std::uint64_t>(high) << 32) | low;
  return static_cast<unsigned>(both >> (shift & 31U));
}
inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector) {
  const std::uint64_t both = (static_cast<std::uint64_t>(high) << 32) | low;
  unsigned result = 0;
  for (unsigned place = 0; place < 4; ++place) {
    const unsigned choice = (selector >> (4 * place)) & 0xFU;
    unsigned byte = static_cast<unsigned>(both >> (8 * (choice & 7U))) & 0xFFU;
    if (choice & 8U) {
      byte = byte & 0x80U ? 0xFFU : 0U;  // the sign of the byte
    }
    result |= byte << (8 * place);
  }
  return result;
}

// Integers.
inline int __mulhi(int a, int b) {
  return static_cast<int>((static_cast<long long>(a) * static_cast<long long>(b)) >> 32);
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<std::uint64_t>(a) * b) >> 32);
}
inline int __dp4a(int a, int b, int sum) {
  for (int place = 0; place < 32; place += 8) {
    sum += static_cast<int>(static_cast<std::int8_t>(a >> place)) * static_cast<std::int8_t>(b >> place);
  }
  return sum;
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned sum) {
  for (int place = 0; place < 32; place += 8) {
    sum += ((a >> place) & 0xFFU) * ((b >> place) & 0xFFU);
  }
  return sum;
}

// Conversions: out of range becomes the nearest value, NaN zero (of 32 bits; CUDA says so).
namespace bindrt::cudasim {
template <class Integer, class Real>
Integer clamp_to(Real rounded) {
  if (std::isnan(rounded)) {
    return 0;
  }
  const auto value = static_cast<double>(rounded);  // 32 bits are exact in a double
  const auto low = static_cast<double>(std::numeric_limits<Integer>::min());
  const auto high = static_cast<double>(std::numeric_limits<Integer>::max());
  return static_cast<Integer>(value < low ? low : value > high ? high : value);
}
}  // namespace bindrt::cudasim
#define BINDRT_CONVERSIONS(from, real)                                                                 \
  inline int __##from##2int_rn(real a) { return ::bindrt::cudasim::clamp_to<int>(std::nearbyint(a)); } \
  inline int __##from##2int_rz(real a) { return ::bindrt::cudasim::clamp_to<int>(std::trunc(a)); }     \
  inline int __##from##2int_rd(real a) { return ::bindrt::cudasim::clamp_to<int>(std::floor(a)); }     \
  inline int __##from##2int_ru(real a) { return ::bindrt::cudasim::clamp_to<int>(std::ceil(a)); }      \
  inline unsigned __##from##2uint_rn(real a) {                                                         \
    return ::bindrt::cudasim::clamp_to<unsigned>(std::nearbyint(a));                                   \
  }                                                                                                    \
  inline unsigned __##from##2uint_rz(real a) { return ::bindrt::cudasim::clamp_to<unsigned>(std::trunc(a)); }
BINDRT_CONVERSIONS(float, float)
BINDRT_CONVERSIONS(double, double)
#undef BINDRT_CONVERSIONS
inline float __int2float_rn(int a) { return static_cast<float>(a); }
inline float __uint2float_rn(unsigned a) { return static_cast<float>(a); }
inline float __ll2float_rn(long long a) { return static_cast<float>(a); }
inline double __int2double_rn(int a) { return static_cast<double>(a); }
inline double __uint2double_rn(unsigned a) { return static_cast<double>(a); }
inline double __ll2double_rn(long long a) { return static_cast<double>(a); }
inline float __double2float_rn(double a) { return static_cast<float>(a); }

// Loads and stores with a wish for the cache.
template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcs(const T* address) {
  return *address;
}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
void __stcs(T* address, T value) {
  *address = value;
}
template <class T>
void __stcg(T* address, T value) {
  *address = value;
}
