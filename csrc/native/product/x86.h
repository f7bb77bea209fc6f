// What the x86 product kernels share: asking the processor, and the sizes of its caches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "csrc/native/product/product.h"
#include "kernels/base/cpu_features.h"

namespace bindrt::native {

// Whether the processor has all of these features.
inline bool has(std::initializer_list<std::string_view> names) noexcept {
  return std::ranges::all_of(names, [](std::string_view name) {
    return std::ranges::any_of(kernels::cpu_features(), [&](const kernels::CpuFeature& feature) {
      return feature.name == name && feature.present;
    });
  });
}

// What BINDRT_AVX2 and BINDRT_AVX512 compile for.
inline bool has_avx2() noexcept { return has({"avx2", "fma", "bmi2", "f16c"}); }
inline bool has_avx512() noexcept {
  return has_avx2() && has({"avx512f", "avx512bw", "avx512vl", "avx512dq"});
}

// Settings of the processor that a kernel's inner loop needs (vectors.h): none,
struct AsItIs {
  AsItIs() noexcept {}
  ~AsItIs() {}
};
// or that subnormal numbers are read and written as zeros, as the dot product of bf16 pairs does by itself.
// The clobbered memory keeps arithmetic between what is loaded after and stored before.
class SubnormalsAreZero {
 public:
  SubnormalsAreZero() noexcept {
    __asm__ volatile("stmxcsr %0" : "=m"(before_));
    const std::uint32_t now = before_ | kFlushToZero | kDenormalsAreZero;
    __asm__ volatile("ldmxcsr %0" : : "m"(now) : "memory");
  }
  SubnormalsAreZero(const SubnormalsAreZero&) = delete;
  SubnormalsAreZero& operator=(const SubnormalsAreZero&) = delete;
  ~SubnormalsAreZero() { __asm__ volatile("ldmxcsr %0" : : "m"(before_) : "memory"); }

 private:
  static constexpr std::uint32_t kFlushToZero = 0x8000;
  static constexpr std::uint32_t kDenormalsAreZero = 0x40;
  std::uint32_t before_;
};

inline std::int64_t good_rows(std::int64_t /*inputs*/) noexcept { return 264; }

}  // namespace bindrt::native
