// What the kernels on NEON share. A file defines BINDRT_LEVEL before it includes this.
#pragma once

#if defined(__aarch64__)
#include <arm_neon.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "csrc/native/product/vectors.h"

namespace bindrt::native {
namespace {

// The second cache has 1 MB or more; half of it is for the rows.
std::int64_t good_rows(std::int64_t row_bytes) noexcept {
  return std::clamp<std::int64_t>(512 * 1024 / std::max<std::int64_t>(row_bytes, 1) / 6 * 6, 48, 480);
}

template <Numbers kNumbers>
std::int64_t good_rows_of(std::int64_t inputs) noexcept {
  return good_rows(padded_inputs(kNumbers, inputs) * bytes_of(kNumbers));
}

// Compilers load early, which here costs more registers than there are: no load behind this moves before it.
BINDRT_LEVEL_INLINE void keep_order() { __asm__ volatile("" : : : "memory"); }

BINDRT_LEVEL_INLINE uint32x4_t four_lanes(const std::uint8_t* from) {
  return vreinterpretq_u32_u8(vld1q_u8(from));
}

// Four bytes in every lane.
BINDRT_LEVEL_INLINE uint32x4_t four_bytes(const std::uint8_t* from) {
  keep_order();
  std::uint32_t bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return vdupq_n_u32(bytes);
}

// No setting of the processor for a kernel's inner loop (vectors.h).
struct AsItIs {
  AsItIs() noexcept {}
  ~AsItIs() {}
};

// 24 sums, a vector of each weight and one of a row are 29 of 32 registers.
struct NeonFloats {
  static constexpr int kMostRows = 6;
  static constexpr int kVectors = 4;
  using Number = float;
  using Sum = float32x4_t;
  using Setting = AsItIs;
  BINDRT_LEVEL_INLINE static Sum zero() { return vdupq_n_f32(0.0F); }
  BINDRT_LEVEL_INLINE static Sum load(const float* from) { return vld1q_f32(from); }
  BINDRT_LEVEL_INLINE static void store(float* to, const Sum& sum) { vst1q_f32(to, sum); }
};

struct NeonInts {
  static constexpr int kMostRows = 6;
  static constexpr int kVectors = 4;
  using Number = std::int32_t;
  using Sum = int32x4_t;
  using Setting = AsItIs;
  BINDRT_LEVEL_INLINE static Sum zero() { return vdupq_n_s32(0); }
  BINDRT_LEVEL_INLINE static Sum load(const std::int32_t* from) { return vld1q_s32(from); }
  BINDRT_LEVEL_INLINE static void store(std::int32_t* to, const Sum& sum) { vst1q_s32(to, sum); }
};

}  // namespace
}  // namespace bindrt::native
#endif
