// What the encoders of pictures take: a square of one size, and CLIP's normalisation where it has colours.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

inline constexpr std::int32_t kPictureSide = 224;  // pixels of the square's edges

// CLIP's mean and standard deviation of channel 0 (red), 1 (green) or 2 (blue), for values 0 to 1. Functions
// and not arrays, since device code cannot take a host array's address.
BINDRT_HD constexpr double clip_mean(std::int32_t channel) {
  return channel == 0 ? 0.48145466 : channel == 1 ? 0.4578275 : 0.40821073;
}
BINDRT_HD constexpr double clip_deviation(std::int32_t channel) {
  return channel == 0 ? 0.26862954 : channel == 1 ? 0.26130258 : 0.27577711;
}

}  // namespace bindrt::kernels
