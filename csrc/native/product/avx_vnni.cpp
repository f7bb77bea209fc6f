// int8 by the dot product of AVX-VNNI, which processors without AVX-512 have: four inputs of a column at
// once.
#if defined(__x86_64__)
#include "kernels/base/dispatch.h"

#define BINDRT_LEVEL [[gnu::target("avx2,fma,bmi2,f16c,avxvnni")]]

#include "csrc/native/product/avx2.h"
#include "csrc/native/product/kernels.h"

namespace bindrt::native {
namespace {

struct Int8 : Avx2Integers {
  using Weight = __m256i;
  using Row = __m256i;
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) { return load_bytes(from); }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) { return four_bytes(from); }
  // Written out, since GCC 12 copies the sum of the intrinsic from register to register.
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(row), "x"(weight));
    return sum;
  }
};

bool available() noexcept { return has_avx2() && has({"avx_vnni"}); }

}  // namespace

const ProductKernel kAvxVnniInt8{"avx_vnni", Numbers::kInt8, &available, &good_rows, &run<Int8>};

}  // namespace bindrt::native
#endif
