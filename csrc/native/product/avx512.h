// What the kernels on AVX-512's vectors share; see vectors.h.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include "csrc/native/product/vectors.h"
#include "csrc/native/product/x86.h"

namespace bindrt::native {
namespace {

// A panel's four vectors times six rows are 24 of the 32 registers.
struct Avx512Floats {
  static constexpr int kMostRows = 6;
  static constexpr int kVectors = 4;
  using Number = float;
  using Sum = __m512;
  using Setting = AsItIs;
  BINDRT_LEVEL_INLINE static Sum zero() { return _mm512_setzero_ps(); }
  BINDRT_LEVEL_INLINE static Sum load(const float* from) { return _mm512_load_ps(from); }
  BINDRT_LEVEL_INLINE static void store(float* to, const Sum& sum) { _mm512_store_ps(to, sum); }
};

// Four bytes of a row for every column.
BINDRT_LEVEL_INLINE __m512i four_bytes(const std::uint8_t* from) {
  std::int32_t four;
  std::memcpy(&four, from, sizeof(four));
  return _mm512_set1_epi32(four);
}

}  // namespace
}  // namespace bindrt::native
#endif
