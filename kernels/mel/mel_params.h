// The structs of the log-mel op that host and device share.
#pragma once

#include "kernels/mel/mel.h"
#include "kernels/mel/mel_clips.h"
#include "kernels/mel/mel_tables.h"

namespace bindrt::kernels {

// One recording at kMelRate and its clips; samples are in device memory.
struct MelRecording {
  const float* first = nullptr;     // the first channel, from sample 0 on
  const float* channels = nullptr;  // the mean of all channels; may be null where needs_mean is false
  ClipRange ranges[kMostClips];     // as plan_clips takes them, but for the means: the device computes those
  std::int32_t clips = 0;           // <= kMostClips
  std::int64_t view = 0;            // where the first clip goes in the output
  std::int64_t shared[kMostClips] = {};  // frames of each that an earlier clip computes; log_mel_gpu fills it
};

// bindrt_mel_means: grid.x is kMostClips, grid.y the number of recordings.
struct MelMeansParams {
  const MelRecording* recordings;
  double* means;  // [recordings, kMostClips]
};

inline constexpr std::int32_t kMelTile = 16;  // columns that a block of threads computes
inline constexpr std::int32_t kMelWarps = 4;

// bindrt_mel: grid.x is the number of tiles of columns, grid.y of recordings, grid.z is kMostClips.
struct MelParams {
  const MelTables* tables;
  const MelRecording* recordings;
  const double* means;
  MelOutput output;  // out points to device memory
};

}  // namespace bindrt::kernels
