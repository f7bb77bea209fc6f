// Checks what a caller gives to the log-mel op beside the samples.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/mel/mel_clips.h"

namespace bindrt {

using ClipPairs = std::vector<std::pair<std::int64_t, std::int64_t>>;  // (begin, end) of each clip

// The clips, each with its mean or with none; ValueError unless they lie in order inside the samples.
std::vector<kernels::ClipRange> read_ranges(const ClipPairs& pairs, const std::vector<double>& means,
                                            std::int64_t samples);

}  // namespace bindrt
