// The clips of a recording as their samples were decoded, and their spectra.
#pragma once

#include <cstdint>
#include <vector>

#include "csrc/audio/recording.h"
#include "csrc/prepare/prepare.h"
#include "kernels/mel/mel_clips.h"
#include "kernels/resample/resample.h"

namespace bindrt::prepare {

// Samples that clips are made of.
struct SoundPart {
  kernels::AudioView view;        // the first channel is what is heard
  std::int32_t mean_channel = 0;  // which is the mean of all, or kMeanOfChannels
};

struct SoundClips {
  kernels::ResampleRates rates;
  std::int64_t total = 0;            // samples of the recording at the spectra's rate
  std::vector<audio::Range> ranges;  // of the different clips, at that rate
  bool together = false;             // all clips are of one part, and may overlap; else each has its own
  std::vector<SoundPart> parts;
  LentPtr lent = nullptr;  // the samples of all parts, which are on the device; else null

  std::int64_t count() const noexcept { return std::ssize(ranges); }
  // The clips of the one part, without means, as the spectra take them.
  std::vector<kernels::ClipRange> clip_ranges() const;
  // Resamples and writes the spectra. False if there is no memory, or samples are beyond all numbers.
  bool make(float* out) const;
};

// Leaves the clips to a device, which makes the same of them. False where it has no room, or does not
// resample these rates.
bool leave_sound(const SoundClips& clips, Slots& slots);

}  // namespace bindrt::prepare
