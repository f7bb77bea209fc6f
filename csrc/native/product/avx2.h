// What the kernels on AVX2's vectors share; see vectors.h.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include "csrc/native/product/vectors.h"
#include "csrc/native/product/x86.h"

namespace bindrt::native {
namespace {

// Two vectors times six rows are 12 of the 16 registers.
struct Avx2Floats {
  static constexpr int kMostRows = 6;
  static constexpr int kVectors = 2;
  using Number = float;
  using Sum = __m256;
  using Setting = AsItIs;
  BINDRT_LEVEL_INLINE static Sum zero() { return _mm256_setzero_ps(); }
  BINDRT_LEVEL_INLINE static Sum load(const float* from) { return _mm256_load_ps(from); }
  BINDRT_LEVEL_INLINE static void store(float* to, const Sum& sum) { _mm256_store_ps(to, sum); }
};

struct Avx2Integers {
  static constexpr Numbers kNumbers = Numbers::kInt8;
  static constexpr int kMostRows = Avx2Floats::kMostRows;
  static constexpr int kVectors = Avx2Floats::kVectors;
  using Number = std::int32_t;
  using Sum = __m256i;
  using Setting = AsItIs;
  BINDRT_LEVEL_INLINE static Sum zero() { return _mm256_setzero_si256(); }
  BINDRT_LEVEL_INLINE static Sum load(const std::int32_t* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  }
  BINDRT_LEVEL_INLINE static void store(std::int32_t* to, const Sum& sum) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), sum);
  }
};

BINDRT_LEVEL_INLINE __m256i load_bytes(const std::uint8_t* from) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

// Four bytes of a row for every column.
BINDRT_LEVEL_INLINE __m256i four_bytes(const std::uint8_t* from) {
  std::int32_t four;
  std::memcpy(&four, from, sizeof(four));
  return _mm256_set1_epi32(four);
}

}  // namespace
}  // namespace bindrt::native
#endif
