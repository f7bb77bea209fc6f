// float32 and bf16 by the fused multiply-add of AVX-512.
#if defined(__x86_64__)
#include "kernels/base/dispatch.h"

#define BINDRT_LEVEL BINDRT_AVX512

#include "csrc/native/product/avx512.h"
#include "csrc/native/product/kernels.h"

namespace bindrt::native {
namespace {

struct Float32 : Avx512Floats {
  static constexpr Numbers kNumbers = Numbers::kFloat32;
  using Weight = __m512;
  using Row = __m512;
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) { return _mm512_load_ps(from); }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) {
    return _mm512_castsi512_ps(four_bytes(from));
  }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    return _mm512_fmadd_ps(row, weight, sum);
  }
};

// A pair's numbers as float32, the second first, in the order of the processors' dot product.
struct Pair {
  __m512 second, first;
};

struct Bf16 : Avx512Floats {
  static constexpr Numbers kNumbers = Numbers::kBf16;
  static constexpr int kMostRows = 4;  // a panel's weights take eight registers
  using Weight = Pair;
  using Row = Pair;
  using Setting = SubnormalsAreZero;
  // With a mask of all lanes since GCC 12 warns of the shift without one.
  BINDRT_LEVEL_INLINE static Pair widened(const __m512i& pairs) {
    return {_mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000))),
            _mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, pairs, 16))};
  }
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) {
    return widened(_mm512_load_si512(from));
  }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) { return widened(four_bytes(from)); }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    return _mm512_fmadd_ps(row.first, weight.first, _mm512_fmadd_ps(row.second, weight.second, sum));
  }
};

bool available() noexcept { return has_avx512(); }

}  // namespace

const ProductKernel kAvx512Float32{"avx512", Numbers::kFloat32, &available, &good_rows, &run<Float32>};
const ProductKernel kAvx512Bf16{"avx512", Numbers::kBf16, &available, &good_rows, &run<Bf16>};

}  // namespace bindrt::native
#endif
