// Products of a few rows for AVX2.
#if defined(__x86_64__)

#include <immintrin.h>

#include "csrc/native/ops/few_rows.h"
#include "kernels/base/dispatch.h"

namespace bindrt::native {
namespace {

#define LEVEL BINDRT_AVX2

using Sums = __m256;
using Units = __m256;

LEVEL BINDRT_INLINE Sums zero() noexcept { return _mm256_setzero_ps(); }
LEVEL BINDRT_INLINE Sums load_sums(const float* from) noexcept { return _mm256_loadu_ps(from); }
LEVEL BINDRT_INLINE void store_sums(float* to, const Sums& sums) noexcept { _mm256_storeu_ps(to, sums); }
LEVEL BINDRT_INLINE Units load_units(const std::uint32_t* from) noexcept {
  return _mm256_loadu_ps(reinterpret_cast<const float*>(from));
}
LEVEL BINDRT_INLINE Units all_units(const std::uint32_t* from) noexcept {
  return _mm256_broadcast_ss(reinterpret_cast<const float*>(from));
}
LEVEL BINDRT_INLINE void multiply_add(Sums& sums, const Units& a, const Units& b) noexcept {
  sums = _mm256_fmadd_ps(a, b, sums);
}
constexpr int kVector = 8;
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;
constexpr int kTileSums = 12;

#include "csrc/native/ops/few_rows_body.h"

}  // namespace

BINDRT_AVX2 void few_rows_avx2(const FewRows& work) noexcept { product(work); }

}  // namespace bindrt::native

#endif
