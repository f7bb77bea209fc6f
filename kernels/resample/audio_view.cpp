// The largest magnitude of the samples of a recording.
#include "kernels/resample/audio_view.h"

#include <array>

#include "kernels/base/portable.h"

namespace bindrt::kernels {
namespace {

// Bits of the largest magnitude: of floats without their sign, they are in the order of the numbers, NaN
// last.
BINDRT_INLINE std::uint32_t peak_bits(const float* samples, std::int64_t count) noexcept {
  constexpr std::int64_t kLanes = 32;
  std::array<std::int32_t, kLanes> best = {};
  std::int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      std::int32_t bits;
      std::memcpy(&bits, samples + at + lane, sizeof(bits));
      bits &= 0x7FFFFFFF;
      std::int32_t& kept = best[static_cast<std::size_t>(lane)];
      kept = bits > kept ? bits : kept;
    }
  }
  std::int32_t most = *std::max_element(best.begin(), best.end());
  for (; at < count; ++at) {
    most = std::max(most, static_cast<std::int32_t>(float_bits(samples[at]) & 0x7FFFFFFFU));
  }
  return static_cast<std::uint32_t>(most);
}

// Blocks of a channel are loaded side by side first: any layout, and integers, cost one copy in cache.
BINDRT_INLINE float peak_of(const AudioView& view) noexcept {
  constexpr std::int64_t kBlock = 2048;
  std::array<float, kBlock> block;
  std::uint32_t most = 0;
  for (std::int32_t channel = 0; channel < view.channels; ++channel) {
    for (std::int64_t at = 0; at < view.count; at += kBlock) {
      const std::int64_t count = std::min(view.count - at, kBlock);
      load_samples(view, channel, view.begin + at, count, block.data());
      most = std::max(most, peak_bits(block.data(), count));
    }
  }
  return bits_float(most);
}

using Run = float (*)(const AudioView&) noexcept;
float run_baseline(const AudioView& view) noexcept { return peak_of(view); }
BINDRT_AVX2 float run_avx2(const AudioView& view) noexcept { return peak_of(view); }
BINDRT_AVX512 float run_avx512(const AudioView& view) noexcept { return peak_of(view); }

}  // namespace

float peak(const AudioView& view) noexcept {
  return choose<Run>(&run_baseline, &run_avx2, &run_avx512)(view);
}

}  // namespace bindrt::kernels
