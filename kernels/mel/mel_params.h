// What the host tells the CUDA kernels of log-mel spectra.
#pragma once

#include "kernels/mel/mel.h"
#include "kernels/mel/mel_clips.h"
#include "kernels/mel/mel_tables.h"

namespace bindrt::kernels {

// One recording at 16 kHz and its clips, in device memory.
struct MelGpuRecording {
  const float* first = nullptr;     // its first channel
  const float* channels = nullptr;  // the mean of all channels; null if no clip's mean has an effect
  ClipRange ranges[kMostClips];     // their means are computed on the device
  std::int64_t shared[kMostClips];  // frames of each that an earlier clip computes
  std::int64_t view = 0;            // where the first clip goes in the output
  std::int32_t clips = 0;
};

// bindrt_mel_means: grid.x is kMostClips, grid.y the number of recordings.
struct MelMeansParams {
  const MelGpuRecording* recordings;
  double* means;  // [recordings, kMostClips]
};

inline constexpr std::int32_t kMelTile = 16;  // columns that a block of threads computes
inline constexpr std::int32_t kMelWarps = 4;

// bindrt_mel: grid.x is the number of tiles of columns, grid.y of recordings, grid.z is kMostClips.
struct MelParams {
  const MelTables* tables;
  const MelGpuRecording* recordings;
  const double* means;
  MelOutput output;  // out points to device memory
};

}  // namespace bindrt::kernels
