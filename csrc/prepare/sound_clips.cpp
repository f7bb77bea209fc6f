// Spectra of clips on the CPU.
#include "csrc/prepare/sound_clips.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "kernels/base/scratch.h"
#include "kernels/mel/mel.h"
#include "kernels/resample/audio_view.h"

namespace bindrt::prepare {
namespace {

using audio::Range;
using kernels::ClipRange;

// Outputs [range) of a part's first channel, into `samples`.
bool resampled(const kernels::ResampleRates& rates, const SoundPart& part, const Range& range,
               float* samples) noexcept {
  if (samples == nullptr || !kernels::resample(rates, part.view, 0, range.begin, range.size(), samples, 1)) {
    return false;
  }
  kernels::AudioView made;
  made.samples = samples;
  made.count = range.size();
  return kernels::peak(made) <= kernels::kMelMaxSample;
}

void write(const ClipRange* ranges, std::int64_t count, const float* samples, float* out) noexcept {
  std::array<kernels::MelClip, kernels::kMostClips> clips;
  kernels::plan_clips(ranges, count, samples, kernels::kMelFrames, clips.data());
  kernels::MelOutput target;
  target.out = out;
  kernels::log_mel(clips.data(), count, target, 1);
}

// All clips of one part, which may overlap.
bool make_together(const SoundClips& clips, float* out) {
  thread_local kernels::Scratch<float> scratch;
  const SoundPart& part = clips.parts[0];
  std::vector<ClipRange> ranges = clips.clip_ranges();
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (!kernels::needs_mean(ranges.data(), clips.count(), static_cast<std::int64_t>(i))) {
      continue;
    }
    const Range& range = clips.ranges[i];
    double sum = 0.0;
    if (!kernels::resample_sum(clips.rates, part.view, part.mean_channel, range.begin, range.size(), &sum)) {
      return false;
    }
    ranges[i].mean = sum / static_cast<double>(range.size());
  }
  float* const samples = scratch.get(static_cast<std::size_t>(clips.total));
  const bool good = resampled(clips.rates, part, {0, clips.total}, samples);
  if (good) {
    write(ranges.data(), clips.count(), samples, out);
  }
  scratch.trim();
  return good;
}

// Each clip from a part of its own.
bool make_apart(const SoundClips& clips, float* out) {
  thread_local kernels::Scratch<float> scratch;
  constexpr std::int64_t kClip = std::int64_t{kernels::kMelBands} * kernels::kMelFrames;
  for (std::size_t i = 0; i < clips.ranges.size(); ++i, out += kClip) {
    const Range& range = clips.ranges[i];
    float* const samples = scratch.get(static_cast<std::size_t>(range.size()));
    if (!resampled(clips.rates, clips.parts[i], range, samples)) {
      return false;
    }
    const ClipRange all{0, range.size(), 0.0};
    write(&all, 1, samples, out);
  }
  return true;
}

}  // namespace

std::vector<ClipRange> SoundClips::clip_ranges() const {
  std::vector<ClipRange> found;
  std::ranges::transform(ranges, std::back_inserter(found),
                         [](const Range& range) { return ClipRange{range.begin, range.end, 0.0}; });
  return found;
}

bool SoundClips::make(float* out) const {
  return together ? make_together(*this, out) : make_apart(*this, out);
}

}  // namespace bindrt::prepare
