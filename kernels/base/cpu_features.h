// What the processor can do, asked at run time: the wheel is built for the oldest one.
#pragma once

#include <string_view>
#include <vector>

namespace bindrt::kernels {

struct CpuFeature {
  std::string_view name;  // "avx2", "avx512vnni", "neon", ...
  bool present;           // by the processor, and its registers are saved by the operating system
};

// All features known for this architecture, in the order in which the processors got them.
const std::vector<CpuFeature>& cpu_features();

// Whether a feature is present; false for names that this architecture has not.
bool has_cpu_feature(std::string_view name);

}  // namespace bindrt::kernels
