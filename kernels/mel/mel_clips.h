// The clips of one recording, as the original cuts them: it subtracts each clip's mean in place, so that
// a later clip that overlaps sees the shared part already shifted.
#pragma once

#include "kernels/base/portable.h"
#include "kernels/mel/mel.h"

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

// Samples that clip `later` has in common with `earlier`; they are its first ones.
BINDRT_HD std::int64_t clip_overlap(const ClipRange& earlier, const ClipRange& later) {
  return earlier.end > later.begin ? earlier.end - later.begin : 0;
}

// The steps inside clip `index`: every earlier one that overlaps subtracted its mean from the common part,
// after what those before it had left.
BINDRT_HD void clip_steps(const ClipRange* ranges, std::int64_t index, MelStep* steps) {
  double shifts[kMostClips] = {};
  for (std::int64_t clip = 0; clip < index; ++clip) {
    double mean = ranges[clip].mean;
    for (std::int64_t earlier = 0; earlier < clip; ++earlier) {
      const auto common = static_cast<double>(clip_overlap(ranges[earlier], ranges[clip]));
      if (common > 0.0) {
        mean -= shifts[earlier] * common / static_cast<double>(ranges[clip].end - ranges[clip].begin);
      }
    }
    shifts[clip] = static_cast<double>(static_cast<float>(mean));  // what the original subtracts
    const std::int64_t common = clip_overlap(ranges[clip], ranges[index]);
    if (common > 0) {
      steps[clip] = {common, static_cast<float>(shifts[clip])};
    }
  }
}

// Fills `clips` with what `log_mel` takes: the steps that earlier clips' means leave inside a clip, and
// which frames are those of an earlier clip, for at most `columns` frames of each. `samples` is the first
// channel at 16 kHz, from sample 0 of the recording. count <= kMostClips; 0 <= begin <= end; begins and
// ends must not decrease.
void plan_clips(const ClipRange* ranges, std::int64_t count, const float* samples, std::int64_t columns,
                MelClip* clips) noexcept;

// Whether plan_clips uses the mean of clip `index`.
bool needs_mean(const ClipRange* ranges, std::int64_t count, std::int64_t index) noexcept;

}  // namespace bindrt::kernels
