// Products of a few rows for AVX2.
#if defined(__x86_64__)

#include <immintrin.h>

#include "csrc/native/ops/few_rows.h"
#include "kernels/base/dispatch.h"

namespace bindrt::native {
namespace {

#define LEVEL BINDRT_AVX2

struct Sixteen {
  __m256 low, high;
};
using Units = Sixteen;

LEVEL BINDRT_INLINE Sixteen zero() noexcept { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
LEVEL BINDRT_INLINE Sixteen load_sums(const float* from) noexcept {
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
}
LEVEL BINDRT_INLINE void store_sums(float* to, const Sixteen& sums) noexcept {
  _mm256_storeu_ps(to, sums.low);
  _mm256_storeu_ps(to + 8, sums.high);
}
LEVEL BINDRT_INLINE Units load_units(const std::uint32_t* from) noexcept {
  return load_sums(reinterpret_cast<const float*>(from));
}
LEVEL BINDRT_INLINE Units all_units(const std::uint32_t* from) noexcept {
  const __m256 unit = _mm256_broadcast_ss(reinterpret_cast<const float*>(from));
  return {unit, unit};
}
LEVEL BINDRT_INLINE void multiply_add(Sixteen& sums, const Units& a, const Units& b) noexcept {
  sums.low = _mm256_fmadd_ps(a.low, b.low, sums.low);
  sums.high = _mm256_fmadd_ps(a.high, b.high, sums.high);
}
constexpr int kTileRows = 6;
constexpr int kTileVectors = 1;
constexpr int kTileSums = 6;

#include "csrc/native/ops/few_rows_body.h"

}  // namespace

BINDRT_AVX2 void few_rows_avx2(const FewRows& work) noexcept { product(work); }

}  // namespace bindrt::native

#endif
