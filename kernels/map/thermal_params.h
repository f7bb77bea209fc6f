// The arithmetic of one thermal pixel, the same on the CPU and on a GPU. No standard headers: for NVRTC.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

struct ThermalRange {
  double low;
  double gain;  // 1 / (high - low), finite
};

BINDRT_HD ThermalRange thermal_range(double low, double high) {
  constexpr double kMost = 1.7976931348623157e308;
  const double gain = 1.0 / (high - low);
  return {low, gain > kMost ? kMost : gain};  // a range of subnormal width
}

BINDRT_HD float stretched(double value, const ThermalRange& range) {
  double out = (value - range.low) * range.gain;
  out = out < 0.0 ? 0.0 : out;
  return static_cast<float>(out > 1.0 ? 1.0 : out);
}

}  // namespace bindrt::kernels
