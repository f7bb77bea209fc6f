// bf16 by NEON's product of small matrices, which rounds the sum of each pair, and what it adds, to odd.
#if defined(__aarch64__) && defined(__linux__)
#define BINDRT_LEVEL [[gnu::target("arch=armv8.2-a+bf16")]]

#include "csrc/native/product/kernels.h"
#include "csrc/native/product/neon_matrix.h"
#include "kernels/base/cpu_features.h"

namespace bindrt::native {
namespace {

struct Matrix : NeonFloats {
  static constexpr Numbers kNumbers = Numbers::kBf16;
  BINDRT_LEVEL_INLINE static void add(Sum& sum, uint32x4_t rows, uint32x4_t columns) {
    sum = vbfmmlaq_f32(sum, vreinterpretq_bf16_u32(rows), vreinterpretq_bf16_u32(columns));
  }
};

bool available() noexcept { return kernels::has_cpu_feature("bf16"); }

}  // namespace

const ProductKernel kNeonMatrixBf16{"neon_bf16", Numbers::kBf16, &available, &good_rows_of<Numbers::kBf16>,
                                    &run_by_matrix<Matrix>};

}  // namespace bindrt::native
#endif
