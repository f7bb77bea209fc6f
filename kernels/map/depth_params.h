// The arithmetic of one depth pixel, the same on the CPU and on a GPU. No standard headers: for NVRTC.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

// How a pixel is converted: value · gain, clipped to nearest..farthest, then ratio divided by that. If the
// values are disparity already, it is value · gain alone. All disparities are divided by the largest one, so
// that they end within lowest..1.
struct DepthFactors {
  float gain;
  float nearest;
  float farthest;
  float ratio;
  float lowest;
  float missing;       // what a missing pixel becomes
  std::int32_t ready;  // 1: the values are disparity
};

// Whether a value is above 0 and finite.
template <class Number>
BINDRT_HD bool depth_is_known(Number value) {
  return value > 0;
}
template <>
BINDRT_HD bool depth_is_known(float value) {
  return value > 0.0F && value <= 3.402823466e38F;
}
template <>
BINDRT_HD bool depth_is_known(double value) {
  return value > 0.0 && value <= 1.7976931348623157e308;
}

// A known value as a float that is known as well, an unknown one as 0.
template <class Number>
BINDRT_HD float known_depth(Number value) {
  return depth_is_known(value) ? static_cast<float>(value) : 0.0F;
}
template <>
BINDRT_HD float known_depth(double value) {
  const double low = value < 1.17549435e-38 ? 1.17549435e-38 : value;
  const double inside = low > 3.402823466e38 ? 3.402823466e38 : low;
  return static_cast<float>(depth_is_known(value) ? inside : 0.0);
}

// A count of SUN RGB-D, 16 bits turned left by 3, in the same way. A positive count whose bits are all 0 is
// very near.
template <class Integer>
BINDRT_HD float known_sun_rgbd(Integer value) {
  const std::uint32_t bits = static_cast<std::uint32_t>(value) & 0xFFFFU;
  const std::uint32_t turned = (bits >> 3 | bits << 13) & 0xFFFFU;
  const float millimetres = turned == 0U ? 1e-30F : static_cast<float>(static_cast<std::int32_t>(turned));
  return depth_is_known(value) ? millimetres : 0.0F;
}

// `value` is 0 for a missing pixel.
BINDRT_HD float scaled_disparity(float value, const DepthFactors& factors) {
  float out = value * factors.gain;
  if (factors.ready == 0) {
    out = out < factors.nearest ? factors.nearest : out;
    out = out > factors.farthest ? factors.farthest : out;
    out = factors.ratio / out;
  }
  out = out < factors.lowest ? factors.lowest : out;
  out = out > 1.0F ? 1.0F : out;
  return value > 0.0F ? out : factors.missing;
}

}  // namespace bindrt::kernels
