// The levels that this machine has.
#pragma once

#include <vector>

#include "kernels/base/dispatch.h"

namespace bindrt::testing {

inline std::vector<kernels::CpuLevel> levels() {
  using kernels::CpuLevel;
  std::vector<CpuLevel> result;
  for (const CpuLevel level : {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    if (kernels::limit_cpu_level(level) == level) {
      result.push_back(level);
    }
  }
  kernels::limit_cpu_level(CpuLevel::kAvx512);
  return result;
}

}  // namespace bindrt::testing
