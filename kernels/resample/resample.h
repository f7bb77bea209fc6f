// Resampling by a Hann-windowed sinc, for any rational pair of rates and any part of the output.
#pragma once

#include <cstdint>

#include "kernels/resample/audio_sample.h"

namespace bindrt::kernels {

// From `orig` to `target` samples a second, both divided by their greatest common divisor.
//
// With base = kResampleRolloff min(orig, target) and w = kResampleWidth (resample_taps.h), output i is the
// sum over inputs k of
//   x[k] * base/orig * sinc(t) * cos^2(pi t / 2w),   t = (k/orig - i/target) base,   |t| < w,
// where t is rounded to float32 at each step, as the original rounds it: for rates with a small common
// divisor that moves the taps by up to 1e-3, and with them the result.
struct ResampleRates {
  std::int64_t orig = 1;
  std::int64_t target = 1;

  bool operator==(const ResampleRates&) const = default;
};

inline constexpr std::int64_t kMaxRate = std::int64_t{1} << 32;
inline constexpr std::int64_t kMaxResampleHalf = std::int64_t{1} << 18;  // a ratio of about 43 000

// Input samples on each side of an output that contribute to it. Any positive rates.
std::int64_t resample_half(const ResampleRates& rates) noexcept;

// Whether `resample` takes these rates: 1 … kMaxRate, with a product below 2^62, coprime, resample_half <=
// kMaxResampleHalf.
bool resamples(const ResampleRates& rates) noexcept;

// Outputs [first, first + count) of a channel of the view, or of kMeanOfChannels, into `out`. Their
// inputs are first * orig / target - half … (first + count - 1) * orig / target + half, in whole numbers;
// what the view lacks of them counts as zero. Equal rates copy.
//
// Rates must satisfy `resamples`; first, count >= 0; (first + count) * orig < 2^62; samples finite. Uses at
// most `threads` threads. Every level and thread count, and every split of a range, gives the same bits.
// False if there is no memory; `out` is then undefined.
bool resample(const ResampleRates& rates, const AudioView& view, std::int32_t channel, std::int64_t first,
              std::int64_t count, float* out, int threads) noexcept;

// The sum of outputs [first, first + count), as if computed and added up in double, within 1e-6 of the sum
// of their magnitudes; for periodic rates ten times faster. Otherwise as `resample`.
bool resample_sum(const ResampleRates& rates, const AudioView& view, std::int32_t channel, std::int64_t first,
                  std::int64_t count, double* sum) noexcept;

}  // namespace bindrt::kernels
