// Log-mel spectra as Kaldi's filter banks define them, of clips at kMelRate.
//
// Frames of kMelWindow samples every kMelHop, whole ones only. Each frame loses its mean, is pre-emphasised
// (the first sample counts as its own predecessor), and gets a symmetric Hann window. Its power spectrum of
// kMelFft points is summed in kMelBands triangular bands, which are even on the scale 1127 ln(1 + f/700). The
// result is the natural logarithm, not below that of kMelFloor.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

inline constexpr std::int32_t kMelRate = 16000;  // samples a second
inline constexpr std::int32_t kMelBands = 128;
inline constexpr std::int32_t kMelFrames = 204;  // frames of a clip, as the audio encoder takes it
inline constexpr std::int32_t kMelWindow = 400;  // samples
inline constexpr std::int32_t kMelHop = 160;     // samples
inline constexpr std::int32_t kMelFft = 512;     // samples; the window and zeros after it
inline constexpr double kMelLow = 20.0;          // Hz, where the first band begins
inline constexpr double kMelHigh = 8000.0;       // Hz, where the last one ends
inline constexpr double kMelPreemphasis = 0.97;
inline constexpr float kMelFloor = 0x1p-23F;  // float32 epsilon
inline constexpr double kMelMean = -4.268;    // mean of the logarithms that the audio encoder was trained on
inline constexpr double kMelStd = 9.138;      // and their standard deviation
inline constexpr std::int32_t kMelSteps = 2;
inline constexpr float kMelMaxSample = 0x1p50F;  // beyond, powers would overflow

// Whole frames in `samples`.
BINDRT_HD std::int64_t mel_frames(std::int64_t samples) {
  return samples < kMelWindow ? 0 : 1 + (samples - kMelWindow) / kMelHop;
}

// Samples before `at` have `shift` subtracted. A shift of a whole frame does not change it, for its mean
// is removed; so a clip's own mean need not be subtracted, only what changes inside it: see mel_clips.h.
struct MelStep {
  std::int64_t at = 0;
  float shift = 0.0F;
};

// One clip. Its first `shared` frames are not computed but copied: they are those of clip `source`, an
// earlier one of the same call, from its frame `source_frame` on.
struct MelClip {
  const float* samples = nullptr;  // finite, |x| <= kMelMaxSample
  std::int64_t count = 0;          // >= 0
  MelStep steps[kMelSteps];
  std::int64_t shared = 0;
  std::int64_t source = 0;
  std::int64_t source_frame = 0;
};

// Where results go: clip c's band b and frame f is number (c * kMelBands + b) * columns + f of `out`. Frames
// beyond `columns` are cut; columns beyond the frames hold a logarithm of 0, as if padded.
struct MelOutput {
  void* out = nullptr;
  OutType type = OutType::kFloat32;
  std::int64_t columns = kMelFrames;
  float add = static_cast<float>(-kMelMean);  // out = (logarithm + add) * times
  float times = 1.0F / static_cast<float>(kMelStd);
};

// Computes `count` clips. Uses at most `threads` threads; every level and thread count gives the same bits.
void log_mel(const MelClip* clips, std::int64_t count, const MelOutput& output, int threads) noexcept;

// Computes the frames of one clip, which shares none, on this thread: as log_mel, but band b and frame f is
// number b * stride + f of `out`, and no other number is written. `output.columns` are the most frames.
void log_mel_frames(const MelClip& clip, const MelOutput& output, std::int64_t stride) noexcept;

}  // namespace bindrt::kernels
