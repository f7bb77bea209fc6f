// Spreads clips over a recording.
#include "csrc/prepare/clips.h"

#include <algorithm>
#include <cmath>

#include "kernels/mel/mel.h"

namespace bindrt::prepare {
namespace {

__extension__ using Wide = __int128;  // exact products

}  // namespace

ClipRanges clip_samples(std::int64_t total) noexcept {
  // The times are exact fractions of the float that is the duration, as the original's are.
  const double duration = static_cast<double>(total) / kernels::kMelRate;
  int exponent = 0;
  constexpr int kDigits = 53;
  const double part = std::frexp(std::max(duration - kAudioClipSeconds, 0.0), &exponent);
  Wide step = static_cast<std::int64_t>(std::ldexp(part, kDigits));  // times 2^(exponent - 53)
  Wide of = kAudioClips - 1;
  exponent -= kDigits;
  (exponent < 0 ? of : step) *= Wide{1} << std::abs(exponent);
  ClipRanges clips;
  for (std::int32_t i = 0; i < kAudioClips; ++i) {
    const Wide begin = i * step * kernels::kMelRate / of;
    const Wide end = (i * step + kAudioClipSeconds * of) * kernels::kMelRate / of;
    clips[static_cast<std::size_t>(i)] = {static_cast<std::int64_t>(std::min<Wide>(begin, total)),
                                          static_cast<std::int64_t>(std::min<Wide>(end, total))};
  }
  return clips;
}

std::int64_t samples_outside(const ClipRanges& clips, std::int64_t total) noexcept {
  std::int64_t left = 0;
  std::int64_t end = 0;
  for (const audio::Range& clip : clips) {  // in order
    left += std::max<std::int64_t>(clip.begin - end, 0);
    end = std::max(end, clip.end);
  }
  return left + total - end;
}

}  // namespace bindrt::prepare
