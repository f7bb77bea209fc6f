// Checks what a caller gives to the resampling op.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "kernels/resample/resample.h"

namespace bindrt {

inline constexpr std::int64_t kMaxSamples = std::int64_t{1} << 40;  // in a recording, so that products fit

// ValueError unless both are positive and in range.
kernels::ResampleRates read_rates(std::int64_t orig, std::int64_t target);

// Samples [N] or [channels, N], any strides, as those from `begin` on of a recording; or ValueError.
kernels::AudioView audio_view(const pybind11::object& samples, std::int64_t begin);

}  // namespace bindrt
