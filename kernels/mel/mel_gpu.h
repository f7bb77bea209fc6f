// Log-mel spectra of recordings' clips on a GPU: as kernels/mel/mel.h, with the means of overlapping clips.
#pragma once

#include <cstdint>

#include "kernels/base/gpu.h"
#include "kernels/mel/mel_clips.h"

namespace bindrt::kernels {

// A recording at 16 kHz; all pointers are to device memory. Its clips are numbers `view` … of the output.
struct MelRecording {
  const float* first = nullptr;     // the first channel, from sample 0 on
  const float* channels = nullptr;  // the mean of all channels; may be null where needs_mean is false
  ClipRange ranges[kMostClips];     // as plan_clips takes them, but for the means
  std::int32_t clips = 0;           // <= kMostClips
  std::int64_t view = 0;
};

// Computes all clips of all recordings into output.out, in device memory. The results are those of log_mel
// bit for bit, unless clips overlap: a mean is added up in another order. output.columns must be below
// 2^20. Throws std::runtime_error as the queue does, and std::bad_alloc.
void log_mel_gpu(GpuQueue& queue, const MelRecording* recordings, std::int64_t count,
                 const MelOutput& output);

}  // namespace bindrt::kernels
