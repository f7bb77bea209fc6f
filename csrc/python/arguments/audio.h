// What a caller gives to the audio ops, checked.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/mel/mel_clips.h"
#include "kernels/resample/resample.h"

namespace bindrt {

inline constexpr std::int64_t kMaxSamples = std::int64_t{1} << 40;  // of a recording, so that products fit

// ValueError unless both are positive and in range.
kernels::ResampleRates read_rates(std::int64_t orig, std::int64_t target);

// The (begin, end) of each clip, and its mean or none; ValueError unless they lie in order inside the
// samples.
using ClipPairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
std::vector<kernels::ClipRange> read_ranges(const ClipPairs& pairs, const std::vector<double>& means,
                                            std::int64_t samples);

}  // namespace bindrt
