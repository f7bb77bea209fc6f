// Products of a few rows: the level in use, and the one that every machine has.
#include "csrc/native/ops/few_rows.h"

#include <cmath>

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "kernels/base/simd.h"

namespace bindrt::native {
namespace {

#define LEVEL

using Sums = kernels::simd::Float<4>;
using Units = Sums;

BINDRT_INLINE Sums zero() noexcept { return Sums{}; }
BINDRT_INLINE Sums load_sums(const float* from) noexcept { return kernels::simd::load<Sums>(from); }
BINDRT_INLINE void store_sums(float* to, const Sums& sums) noexcept { kernels::simd::store(to, sums); }
BINDRT_INLINE Units load_units(const std::uint32_t* from) noexcept {
  return kernels::simd::load<Units>(from);
}
BINDRT_INLINE Units all_units(const std::uint32_t* from) noexcept {
  return kernels::simd::broadcast<4>(kernels::bits_float(*from));
}
BINDRT_INLINE void multiply_add(Sums& sums, const Units& a, const Units& b) noexcept {
#if defined(__aarch64__)
  sums = vfmaq_f32(sums, a, b);
#else
  for (int i = 0; i < 4; ++i) {
    sums[i] = std::fma(a[i], b[i], sums[i]);
  }
#endif
}
constexpr int kVector = 4;
constexpr int kTileRows = 4;
constexpr int kTileVectors = 4;
constexpr int kTileSums = 16;

#include "csrc/native/ops/few_rows_body.h"

}  // namespace

void few_rows_baseline(const FewRows& work) noexcept { product(work); }

#if !defined(__x86_64__)
void few_rows_avx2(const FewRows& work) noexcept { product(work); }
void few_rows_avx512(const FewRows& work) noexcept { product(work); }
#endif

FewRowsProduct few_rows_product() noexcept {
  return kernels::choose(&few_rows_baseline, &few_rows_avx2, &few_rows_avx512);
}

}  // namespace bindrt::native
