// float32 and bf16 by the fused multiply-add that every aarch64 has.
#if defined(__aarch64__)
#define BINDRT_LEVEL

#include "csrc/native/product/neon.h"

#include "csrc/native/product/kernels.h"

namespace bindrt::native {
namespace {

struct Float32 : NeonFloats {
  static constexpr Numbers kNumbers = Numbers::kFloat32;
  using Weight = float32x4_t;
  using Row = float32x4_t;
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) {
    return vreinterpretq_f32_u32(four_lanes(from));
  }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) {
    return vreinterpretq_f32_u32(four_bytes(from));
  }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    return vfmaq_f32(sum, row, weight);
  }
};

// Subnormal numbers are zeros, as in the dot products of other instruction sets.
class SubnormalsAreZero {
 public:
  SubnormalsAreZero() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
    set(before_ | kFlushToZero);
  }
  SubnormalsAreZero(const SubnormalsAreZero&) = delete;
  SubnormalsAreZero& operator=(const SubnormalsAreZero&) = delete;
  ~SubnormalsAreZero() { set(before_); }

 private:
  static constexpr std::uint64_t kFlushToZero = 1U << 24;
  static void set(std::uint64_t value) { __asm__ volatile("msr fpcr, %0" : : "r"(value) : "memory"); }
  std::uint64_t before_ = 0;
};

// A pair's numbers as float32, the second first, in the order of the other instruction sets.
struct Pair {
  float32x4_t second, first;
};

struct Bf16 : NeonFloats {
  static constexpr Numbers kNumbers = Numbers::kBf16;
  static constexpr int kMostRows = 4;  // weights take eight registers
  using Weight = Pair;
  using Row = Pair;
  using Setting = SubnormalsAreZero;
  BINDRT_LEVEL_INLINE static Pair widened(uint32x4_t pairs) {
    return {vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xFFFF0000U))),
            vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16))};
  }
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) { return widened(four_lanes(from)); }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) { return widened(four_bytes(from)); }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    return vfmaq_f32(vfmaq_f32(sum, row.second, weight.second), row.first, weight.first);
  }
};

bool always() noexcept { return true; }

}  // namespace

const ProductKernel kNeonFloat32{"neon", Numbers::kFloat32, &always, &good_rows_of<Numbers::kFloat32>,
                                 &run<Float32>};
const ProductKernel kNeonBf16{"neon", Numbers::kBf16, &always, &good_rows_of<Numbers::kBf16>, &run<Bf16>};

}  // namespace bindrt::native
#endif
