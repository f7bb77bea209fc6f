// int8 by the dot product of NEON, which takes signed numbers only: activations without their zero of 128.
#if defined(__aarch64__) && defined(__linux__)
#define BINDRT_LEVEL [[gnu::target("arch=armv8.2-a+dotprod")]]

#include "csrc/native/product/kernels.h"
#include "csrc/native/product/neon.h"
#include "kernels/base/cpu_features.h"

namespace bindrt::native {
namespace {

struct Dot : NeonInts {
  static constexpr Numbers kNumbers = Numbers::kInt8;
  using Weight = int8x16_t;
  using Row = int8x16_t;
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) {
    return vreinterpretq_s8_u32(four_lanes(from));
  }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) {  // u - 128: all bits of u but the highest
    return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(four_bytes(from)), vdupq_n_u8(0x80)));
  }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    return vdotq_s32(sum, weight, row);
  }
};

// Gives the sums the zero's part first, which the end takes away.
void finish_with_zero(const PackedWeight& weight, const Activations& rows_in, std::int64_t row,
                      std::int64_t rows, std::int64_t panel, const void* sums, const Target& target) {
  const auto* from = static_cast<const std::int32_t*>(sums);
  const std::int32_t* const zero = weight.sums + panel * kPanel;
  for (std::int64_t r = 0; r < rows; ++r, from += kPanel) {
    alignas(64) std::int32_t whole[kPanel];
    for (std::int64_t n = 0; n < kPanel; ++n) {
      whole[n] = from[n] + zero[n];
    }
    finish_row(weight, rows_in, row + r, panel, whole, target);
  }
}

constexpr auto kBlocks = blocks_of<Dot>(std::make_index_sequence<Dot::kMostRows>());
constexpr BlockKernel kKernel{Dot::kNumbers, Dot::kMostRows, kBlocks.data(), &finish_with_zero};

void run_dot(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows, std::int64_t first,
             std::int64_t last, const Target& target) noexcept {
  run_blocks(kKernel, weight, rows_in, rows, first, last, target);
}

bool available() noexcept { return kernels::has_cpu_feature("dotprod"); }

}  // namespace

const ProductKernel kNeonDotInt8{"neon_dot", Numbers::kInt8, &available, &good_rows_of<Numbers::kInt8>,
                                 &run_dot};

}  // namespace bindrt::native
#endif
