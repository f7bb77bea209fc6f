// Finds the best instruction set of this processor, once.
#include "kernels/base/dispatch.h"

#include <algorithm>
#include <atomic>

#include "kernels/base/cpu_features.h"

namespace bindrt::kernels {
namespace {

bool has(std::string_view name) {
  const auto& features = cpu_features();
  return std::any_of(features.begin(), features.end(),
                     [name](const CpuFeature& f) { return f.name == name && f.present; });
}

CpuLevel detect() {
  if (!has("avx2") || !has("fma") || !has("f16c") || !has("bmi2")) {
    return CpuLevel::kBaseline;
  }
  const bool wide = has("avx512f") && has("avx512bw") && has("avx512vl") && has("avx512dq");
  return wide ? CpuLevel::kAvx512 : CpuLevel::kAvx2;
}

CpuLevel best() noexcept {
  static const CpuLevel level = detect();
  return level;
}

std::atomic<CpuLevel> limit{CpuLevel::kAvx512};

}  // namespace

CpuLevel cpu_level() noexcept { return std::min(best(), limit.load(std::memory_order_relaxed)); }

CpuLevel limit_cpu_level(CpuLevel level) noexcept {
  limit.store(level, std::memory_order_relaxed);
  return cpu_level();
}

std::string_view cpu_level_name(CpuLevel level) noexcept {
  switch (level) {
    case CpuLevel::kAvx512:
      return "avx512";
    case CpuLevel::kAvx2:
      return "avx2";
    case CpuLevel::kBaseline:
      break;
  }
  return "baseline";
}

}  // namespace bindrt::kernels
