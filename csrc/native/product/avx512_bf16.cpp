// bf16 by the dot product of pairs of AVX-512 BF16.
#if defined(__x86_64__)
#include "kernels/base/dispatch.h"

#define BINDRT_LEVEL [[gnu::target(BINDRT_AVX512_TARGET ",avx512bf16")]]

#include "csrc/native/product/avx512.h"
#include "csrc/native/product/kernels.h"

namespace bindrt::native {
namespace {

struct Bf16Pairs : Avx512Floats {
  static constexpr Numbers kNumbers = Numbers::kBf16;
  using Weight = __m512i;
  using Row = __m512i;
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) { return _mm512_load_si512(from); }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) { return four_bytes(from); }
  // Written out, since GCC 12 copies the sum of the intrinsic from register to register.
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(row), "v"(weight));
    return sum;
  }
};

bool available() noexcept { return has_avx512() && has({"avx512bf16"}); }

}  // namespace

const ProductKernel kAvx512Bf16Pairs{"avx512_bf16", Numbers::kBf16, &available, &good_rows, &run<Bf16Pairs>};

}  // namespace bindrt::native
#endif
