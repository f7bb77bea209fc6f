// The numbers of recordings that Python and C++ share.
#pragma once

#include <cstdint>

#include "kernels/mel/mel.h"

namespace bindrt::prepare {

inline constexpr std::int32_t kAudioClips = 3;
inline constexpr std::int64_t kAudioClipSeconds = 2;
// Clips of recordings up to this length can overlap; only then do they share samples.
inline constexpr double kWholeSeconds = kAudioClips * kAudioClipSeconds + 0.5;

inline constexpr std::int64_t kLeastRate = 1;  // Hz
inline constexpr std::int64_t kMostRate = 4'000'000;
inline constexpr std::int64_t kMostChannels = 64;  // of a waveform
inline constexpr float kMostSample = 0x1p50F;      // beyond, the power spectrum would overflow
static_assert(kMostSample == kernels::kMelMaxSample);

}  // namespace bindrt::prepare
