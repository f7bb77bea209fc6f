// The constant numbers of log-mel spectra: window, bands, factors of the transform.
#pragma once

#include "kernels/mel/fft512.h"
#include "kernels/mel/mel.h"

namespace bindrt::kernels {

inline constexpr std::int32_t kMelBins = kMelFft / 2;  // below the Nyquist frequency
static_assert(kMelBins == fft512::kPoints);
inline constexpr std::int32_t kMelMaxWeights = 2 * kMelBins;  // a bin lies in two triangles at most

// A plain struct, because it is copied to devices.
struct MelTables {
  double window[kMelWindow];
  fft512::Tables fft;
  // Band b is the sum of weights[first + i] times the power at place[first + i], first_weight[b] <=
  // first + i < first_weight[b + 1]. Weights are for four times the power.
  std::int32_t first_weight[kMelBands + 1];
  float weights[kMelMaxWeights];
  std::int32_t places[kMelMaxWeights];  // positions of the bins after the transform
};

const MelTables& mel_tables() noexcept;

// A sample and the one before it, both without the frame's mean, made ready for the transform.
template <class T>
BINDRT_HD T emphasise(const T& sample, const T& previous, double window) {
  return (sample - previous * kMelPreemphasis) * window;
}

}  // namespace bindrt::kernels
