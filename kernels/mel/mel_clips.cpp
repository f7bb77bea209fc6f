// Plans the clips of a recording: what earlier ones change in them, and which frames they share.
#include "kernels/mel/mel_clips.h"

#include <algorithm>

namespace bindrt::kernels {
namespace {

// The frames of `clip` that are also frames of an earlier one: a multiple of the hop apart, and whole
// inside it. What earlier means changed in them is the same in both.
void share_frames(const ClipRange* ranges, std::int64_t index, std::int64_t columns, MelClip& clip) noexcept {
  const std::int64_t frames = std::min(mel_frames(clip.count), columns);
  for (std::int64_t earlier = 0; earlier < index; ++earlier) {
    const std::int64_t distance = ranges[index].begin - ranges[earlier].begin;
    const std::int64_t theirs = std::min(mel_frames(ranges[earlier].end - ranges[earlier].begin), columns);
    const std::int64_t shared = std::min(theirs - distance / kMelHop, frames);
    if (distance % kMelHop == 0 && shared > clip.shared) {
      clip.shared = shared;
      clip.source = earlier;
      clip.source_frame = distance / kMelHop;
    }
  }
}

}  // namespace

void plan_clips(const ClipRange* ranges, std::int64_t count, const float* samples, std::int64_t columns,
                MelClip* clips) noexcept {
  for (std::int64_t index = 0; index < count; ++index) {
    MelClip& clip = clips[index];
    clip = {};
    clip.samples = samples + ranges[index].begin;
    clip.count = ranges[index].end - ranges[index].begin;
    clip_steps(ranges, index, clip.steps);
    share_frames(ranges, index, columns, clip);
  }
}

bool needs_mean(const ClipRange* ranges, std::int64_t count, std::int64_t index) noexcept {
  for (std::int64_t later = index + 1; later < count; ++later) {
    if (clip_overlap(ranges[index], ranges[later]) > 0 && ranges[later].end > ranges[index].end) {
      return true;
    }
  }
  return false;
}

}  // namespace bindrt::kernels
