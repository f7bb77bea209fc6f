// Products of a few rows for AVX-512.
#if defined(__x86_64__)

#include <immintrin.h>

#include "csrc/native/ops/few_rows.h"
#include "kernels/base/dispatch.h"

namespace bindrt::native {
namespace {

#define LEVEL BINDRT_AVX512

using Sums = __m512;
using Units = __m512;

LEVEL BINDRT_INLINE Sums zero() noexcept { return _mm512_setzero_ps(); }
LEVEL BINDRT_INLINE Sums load_sums(const float* from) noexcept { return _mm512_loadu_ps(from); }
LEVEL BINDRT_INLINE void store_sums(float* to, const Sums& sums) noexcept { _mm512_storeu_ps(to, sums); }
LEVEL BINDRT_INLINE Units load_units(const std::uint32_t* from) noexcept { return _mm512_loadu_ps(from); }
LEVEL BINDRT_INLINE Units all_units(const std::uint32_t* from) noexcept {
  return _mm512_set1_ps(*reinterpret_cast<const float*>(from));
}
LEVEL BINDRT_INLINE void multiply_add(Sums& sums, const Units& a, const Units& b) noexcept {
  sums = _mm512_fmadd_ps(a, b, sums);
}
constexpr int kVector = 16;
constexpr int kTileRows = 6;
constexpr int kTileVectors = 5;
constexpr int kTileSums = 24;

#include "csrc/native/ops/few_rows_body.h"

}  // namespace

BINDRT_AVX512 void few_rows_avx512(const FewRows& work) noexcept { product(work); }

}  // namespace bindrt::native

#endif
