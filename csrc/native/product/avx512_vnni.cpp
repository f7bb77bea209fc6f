// int8 by the dot product of AVX-512 VNNI: four inputs of a column at once.
#if defined(__x86_64__)
#include "kernels/base/dispatch.h"

#define BINDRT_LEVEL [[gnu::target(BINDRT_AVX512_TARGET ",avx512vnni")]]

#include "csrc/native/product/avx512.h"
#include "csrc/native/product/kernels.h"

namespace bindrt::native {
namespace {

struct Int8 {
  static constexpr Numbers kNumbers = Numbers::kInt8;
  static constexpr int kMostRows = Avx512Floats::kMostRows;
  static constexpr int kVectors = Avx512Floats::kVectors;
  using Number = std::int32_t;
  using Sum = __m512i;
  using Weight = __m512i;
  using Row = __m512i;
  using Setting = AsItIs;
  BINDRT_LEVEL_INLINE static Sum zero() { return _mm512_setzero_si512(); }
  BINDRT_LEVEL_INLINE static Sum load(const std::int32_t* from) { return _mm512_load_si512(from); }
  BINDRT_LEVEL_INLINE static void store(std::int32_t* to, const Sum& sum) { _mm512_store_si512(to, sum); }
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) { return _mm512_load_si512(from); }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) { return four_bytes(from); }
  // Written out, since GCC 12 copies the sum of the intrinsic from register to register.
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(row), "v"(weight));
    return sum;
  }
};

bool available() noexcept { return has_avx512() && has({"avx512vnni"}); }

}  // namespace

const ProductKernel kAvx512VnniInt8{"avx512_vnni", Numbers::kInt8, &available, &good_rows, &run<Int8>};

}  // namespace bindrt::native
#endif
