// Which samples of a recording the audio encoder hears.
#pragma once

#include <array>
#include <cstdint>

#include "csrc/audio/recording.h"
#include "csrc/prepare/audio_numbers.h"

namespace bindrt::prepare {

using ClipRanges = std::array<audio::Range, kAudioClips>;

// The clips of a recording of so many samples at the spectra's rate, spread evenly from its beginning to its
// end; they begin and end at whole samples below exact times. Those of a short recording are equal.
ClipRanges clip_samples(std::int64_t total) noexcept;

// How many of the samples 0 … total - 1 lie in no clip.
std::int64_t samples_outside(const ClipRanges& clips, std::int64_t total) noexcept;

}  // namespace bindrt::prepare
