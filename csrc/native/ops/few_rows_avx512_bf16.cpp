// Products of a few rows of bfloat16 pairs for AVX-512 BF16.
#if defined(__x86_64__)

#include <immintrin.h>

#include "csrc/native/ops/few_rows.h"
#include "kernels/base/dispatch.h"

namespace bindrt::native {
namespace {

#if defined(__clang__)
#define LEVEL [[gnu::target(BINDRT_AVX512_TARGET ",avx512bf16"), clang::min_vector_width(512)]]
#else
#define LEVEL [[gnu::target(BINDRT_AVX512_TARGET ",avx512bf16,prefer-vector-width=512")]]
#endif

using Sums = __m512;
using Units = __m512i;

LEVEL BINDRT_INLINE Sums zero() noexcept { return _mm512_setzero_ps(); }
LEVEL BINDRT_INLINE Sums load_sums(const float* from) noexcept { return _mm512_loadu_ps(from); }
LEVEL BINDRT_INLINE void store_sums(float* to, const Sums& sums) noexcept { _mm512_storeu_ps(to, sums); }
LEVEL BINDRT_INLINE Units load_units(const std::uint32_t* from) noexcept { return _mm512_loadu_si512(from); }
LEVEL BINDRT_INLINE Units all_units(const std::uint32_t* from) noexcept {
  return _mm512_set1_epi32(static_cast<int>(*from));
}
LEVEL BINDRT_INLINE void multiply_add(Sums& sums, const Units& a, const Units& b) noexcept {
  sums = _mm512_dpbf16_ps(sums, (__m512bh)a, (__m512bh)b);
}
constexpr int kVector = 16;
constexpr int kTileRows = 6;
constexpr int kTileVectors = 5;
constexpr int kTileSums = 24;

#include "csrc/native/ops/few_rows_body.h"

}  // namespace

LEVEL void few_rows_avx512_bf16(const FewRows& work) noexcept { product(work); }

}  // namespace bindrt::native

#endif
