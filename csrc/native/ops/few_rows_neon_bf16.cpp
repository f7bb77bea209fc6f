// Products of a few rows of bfloat16 pairs by NEON's dot product, which rounds the sum of each pair, and what
// it adds, to odd.
#include "csrc/native/ops/attention_kernel.h"

#if defined(__aarch64__) && defined(__linux__)

#include <arm_neon.h>

#include "kernels/base/cpu_features.h"
#include "kernels/base/dispatch.h"

namespace bindrt::native {
namespace {

#define LEVEL [[gnu::target("arch=armv8.2-a+bf16")]]

using Sums = float32x4_t;
using Units = uint32x4_t;

LEVEL BINDRT_INLINE Sums zero() noexcept { return vdupq_n_f32(0.0F); }
LEVEL BINDRT_INLINE Sums load_sums(const float* from) noexcept { return vld1q_f32(from); }
LEVEL BINDRT_INLINE void store_sums(float* to, const Sums& sums) noexcept { vst1q_f32(to, sums); }
LEVEL BINDRT_INLINE Units load_units(const std::uint32_t* from) noexcept { return vld1q_u32(from); }
LEVEL BINDRT_INLINE Units all_units(const std::uint32_t* from) noexcept { return vld1q_dup_u32(from); }
LEVEL BINDRT_INLINE void multiply_add(Sums& sums, const Units& a, const Units& b) noexcept {
  sums = vbfdotq_f32(sums, vreinterpretq_bf16_u32(a), vreinterpretq_bf16_u32(b));
}
constexpr int kVector = 4;
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;
constexpr int kTileSums = 24;

#include "csrc/native/ops/few_rows_body.h"

LEVEL void pairs(const FewRows& work) noexcept { product(work); }

bool available() noexcept { return kernels::has_cpu_feature("bf16"); }

}  // namespace

const AttentionKernel kNeonAttention{"neon_bf16", native::Units::kPairs, &pairs, kVectorAttention,
                                     &available};

}  // namespace bindrt::native

#endif
