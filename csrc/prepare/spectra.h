// From an open recording to the spectra of its clips.
#pragma once

#include <cstdint>
#include <optional>

#include "csrc/audio/recording.h"
#include "csrc/prepare/prepare.h"

namespace bindrt::prepare {

// Whether a recording is of a usual rate, not empty and within the limits.
bool fits(const audio::Recording& recording, const Limits& limits) noexcept;

// Resamples the clips, and writes their spectra into the slots. The recording `fits`, or is a part of one.
// nullopt: it is too short, or damaged, its samples are beyond all numbers, or nobody waits for it any more.
// Nobody looks at the samples of one that is `lent`.
std::optional<Prepared> spectra(audio::Recording& recording, Slots& slots, const LentPtr& lent = nullptr);

}  // namespace bindrt::prepare
