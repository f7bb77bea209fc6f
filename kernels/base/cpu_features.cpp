// Asks the processor and the operating system for features.
#include "kernels/base/cpu_features.h"

#include <algorithm>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace bindrt::kernels {
namespace {

#if defined(__x86_64__)

struct Leaf {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(unsigned int leaf, unsigned int sub) {
  Leaf r;
  __get_cpuid_count(leaf, sub, &r.eax, &r.ebx, &r.ecx, &r.edx);  // leaves zeros where there is no such leaf
  return r;
}

// XCR0: which registers the operating system saves. Without it AVX faults on a processor that has it.
std::uint64_t saved_registers(const Leaf& one) {
  constexpr unsigned int kOsxsave = 1U << 27;
  if ((one.ecx & kOsxsave) == 0) {
    return 0;
  }
  unsigned int low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

std::vector<CpuFeature> detect() {
  const Leaf one = cpuid(1, 0);
  const Leaf seven = cpuid(7, 0);
  const Leaf seven_one = cpuid(7, 1);
  const std::uint64_t saved = saved_registers(one);
  const bool ymm = (saved & 0x6U) == 0x6U;            // SSE and AVX state
  const bool zmm = (saved & 0xe6U) == 0xe6U;          // and the AVX-512 state
  const bool tiles = (saved & 0x60000U) == 0x60000U;  // AMX configuration and data
  const auto bit = [](unsigned int word, int n) { return ((word >> n) & 1U) != 0; };
  return {
      {"sse4.2", bit(one.ecx, 20)},
      {"avx", ymm && bit(one.ecx, 28)},
      {"f16c", ymm && bit(one.ecx, 29)},
      {"fma", ymm && bit(one.ecx, 12)},
      {"bmi2", bit(seven.ebx, 8)},
      {"avx2", ymm && bit(seven.ebx, 5)},
      {"avx512f", zmm && bit(seven.ebx, 16)},
      {"avx512dq", zmm && bit(seven.ebx, 17)},
      {"avx512bw", zmm && bit(seven.ebx, 30)},
      {"avx512vl", zmm && bit(seven.ebx, 31)},
      {"avx512vnni", zmm && bit(seven.ecx, 11)},
      {"avx512bf16", zmm && bit(seven_one.eax, 5)},
      {"avx_vnni", ymm && bit(seven_one.eax, 4)},
      {"amx", tiles && bit(seven.edx, 24)},
      {"amx_bf16", tiles && bit(seven.edx, 22)},
      {"amx_int8", tiles && bit(seven.edx, 25)},
  };
}

#elif defined(__aarch64__) && defined(__linux__)

std::vector<CpuFeature> detect() {
  const unsigned long one = getauxval(AT_HWCAP);
  const unsigned long two = getauxval(AT_HWCAP2);
  // Bits of the kernel's interface, written out: older headers lack the newer names.
  return {
      {"neon", (one & HWCAP_ASIMD) != 0},    {"fp16", (one & (1UL << 10)) != 0},
      {"dotprod", (one & (1UL << 20)) != 0}, {"sve", (one & (1UL << 22)) != 0},
      {"i8mm", (two & (1UL << 13)) != 0},    {"bf16", (two & (1UL << 14)) != 0},
  };
}

#elif defined(__aarch64__)

std::vector<CpuFeature> detect() { return {{"neon", true}}; }  // part of the architecture

#else

std::vector<CpuFeature> detect() { return {}; }

#endif

}  // namespace

const std::vector<CpuFeature>& cpu_features() {
  static const std::vector<CpuFeature> features = detect();
  return features;
}

bool has_cpu_feature(std::string_view name) {
  const auto& features = cpu_features();
  return std::any_of(features.begin(), features.end(),
                     [name](const CpuFeature& feature) { return feature.name == name && feature.present; });
}

}  // namespace bindrt::kernels
