// The clips of one recording, as the original cuts them: it subtracts each clip's mean in place, so that
// a later clip that overlaps sees the shared part already shifted.
#pragma once

#include <cstdint>

#include "kernels/mel.h"

namespace bindrt::kernels {

inline constexpr std::int32_t kMostClips = kMelSteps + 1;

// A clip is samples [begin, end) of the recording. `mean` is the mean over all channels of those samples
// before anything is subtracted; only the means of clips that a later one overlaps, but does not equal,
// are used.
struct ClipRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  double mean = 0.0;
};

// Fills `clips` with what `log_mel` takes: the steps that earlier clips' means leave inside a clip, and
// which frames are those of an earlier clip, for at most `columns` frames of each. `samples` is the first
// channel at 16 kHz, from sample 0 of the recording. count <= kMostClips; 0 <= begin <= end; begins and
// ends must not decrease.
void plan_clips(const ClipRange* ranges, std::int64_t count, const float* samples, std::int64_t columns,
                MelClip* clips) noexcept;

// Whether plan_clips uses the mean of clip `index`.
bool needs_mean(const ClipRange* ranges, std::int64_t count, std::int64_t index) noexcept;

}  // namespace bindrt::kernels
