// The taps of a resampling filter, the same bits on the CPU and the GPU.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

// Outputs 4b … 4b + 3 form a block: they read one window of inputs, which begins `half` before the
// position of the first of them.
inline constexpr std::int64_t kResampleBlock = 4;
inline constexpr std::int64_t kResampleLanes = 8;  // inputs that are added up side by side
inline constexpr int kResampleWidth = 6;           // zero crossings of the low-pass, on each side
inline constexpr double kResampleRolloff = 0.99;   // its cut-off, as a share of the lower rate's half

// Two different rates, in lowest terms, and what follows from them.
struct ResampleShape {
  std::int64_t orig = 1;
  std::int64_t target = 1;
  std::int64_t half = 0;    // inputs on each side of an output that contribute to it
  std::int64_t width = 0;   // inputs of a block's window, a multiple of kResampleLanes
  std::int64_t blocks = 0;  // the taps repeat after so many blocks

  // Taps of a block.
  BINDRT_HD std::int64_t block_size() const { return width * kResampleBlock; }

  // The input at or just before output `i`.
  BINDRT_HD std::int64_t position(std::int64_t i) const {
    return i / target * orig + i % target * orig / target;
  }
};

// Where the tap of a block's output for input `k` of its window lies: [width / 8][4 outputs][8 inputs].
BINDRT_HD std::int64_t tap_index(std::int64_t output, std::int64_t k) {
  return (k / kResampleLanes * kResampleBlock + output) * kResampleLanes + k % kResampleLanes;
}

// sin(pi x) for |x| <= 0.5; within 1e-13. Unlike the library's it is the same everywhere, and vector code.
BINDRT_HD double sin_pi(double x) {
  const double y = x * x;
  double sum = 0.00044749551500118884;
  sum = sum * y - 0.0073640079444775046;
  sum = sum * y + 0.08214479533213996;
  sum = sum * y - 0.5992644340155919;
  sum = sum * y + 2.5501640359108673;
  sum = sum * y - 5.167712779988024;
  sum = sum * y + 3.141592653589637;
  return sum * x;
}

// sinc(t) cos^2(pi t / 2w) for |t| < w = kResampleWidth, else 0.
BINDRT_HD double windowed_sinc(double t) {
  constexpr double kPi = 3.14159265358979323846;
  constexpr double kToNearest = 0x1.8p52;  // adding it rounds to a whole number
  const double shifted = t + kToNearest;
  const double near = shifted - kToNearest;
  const double half = near * 0.5;
  const double odd = half - ((half + kToNearest) - kToNearest);  // 0, or +-0.5
  const double sign = 1.0 - 8.0 * (odd * odd);
  const double sine = sign * sin_pi(t - near);
  const double at_zero = t == 0.0 ? 1.0 : 0.0;  // where it is 0 / 0
  const double sinc = (sine + at_zero) / (kPi * t + at_zero);
  const double window = sin_pi(t * (0.5 / kResampleWidth));
  const double inside = t * t < kResampleWidth * kResampleWidth ? 1.0 : 0.0;
  return sinc * (1.0 - window * window) * inside;
}

// The taps of one output. Inputs count from the start of its period, in which it is output `phase`.
struct TapsOf {
  float behind;  // -phase / target
  float orig;
  float base;
  double scale;  // base / orig

  // The tap of input `k`, a whole number below 2^53.
  BINDRT_HD float at(double k) const {
    const auto t = static_cast<double>((behind + static_cast<float>(k) / orig) * base);
    return static_cast<float>(windowed_sinc(t) * scale);
  }
};

BINDRT_HD TapsOf taps_of(const ResampleShape& shape, std::int64_t phase) {
  const double lower = static_cast<double>(shape.orig < shape.target ? shape.orig : shape.target);
  const double base = lower * kResampleRolloff;
  return {static_cast<float>(-phase) / static_cast<float>(shape.target), static_cast<float>(shape.orig),
          static_cast<float>(base), base / static_cast<double>(shape.orig)};
}

}  // namespace bindrt::kernels
