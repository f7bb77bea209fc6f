// Checks what a caller gives to the resampling op beside the samples.
#pragma once

#include <cstdint>

#include "kernels/resample/resample.h"

namespace bindrt {

inline constexpr std::int64_t kMaxSamples = std::int64_t{1} << 40;  // in a recording, so that products fit

// ValueError unless both are positive and in range.
kernels::ResampleRates read_rates(std::int64_t orig, std::int64_t target);

}  // namespace bindrt
