// int8 by NEON's product of small matrices, unsigned by signed.
#if defined(__aarch64__) && defined(__linux__)
#define BINDRT_LEVEL [[gnu::target("arch=armv8.2-a+i8mm")]]

#include "csrc/native/product/kernels.h"
#include "csrc/native/product/neon_matrix.h"
#include "kernels/base/cpu_features.h"

namespace bindrt::native {
namespace {

struct Matrix : NeonInts {
  static constexpr Numbers kNumbers = Numbers::kInt8;
  BINDRT_LEVEL_INLINE static void add(Sum& sum, uint32x4_t rows, uint32x4_t columns) {
    sum = vusmmlaq_s32(sum, vreinterpretq_u8_u32(rows), vreinterpretq_s8_u32(columns));
  }
};

bool available() noexcept { return kernels::has_cpu_feature("i8mm"); }

}  // namespace

const ProductKernel kNeonI8mmInt8{"neon_i8mm", Numbers::kInt8, &available, &good_rows_of<Numbers::kInt8>,
                                  &run_by_matrix<Matrix>};

}  // namespace bindrt::native
#endif
