// Spreads clips over a video, and numbers their views.
#include "csrc/prepare/video_views.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace bindrt::prepare {
namespace {

constexpr std::int32_t kAllClips[] = {0, 1, 2, 3, 4};
constexpr std::int32_t kThreeClips[] = {0, 2, 4};
constexpr std::int32_t kMiddleClip[] = {2};
constexpr std::int32_t kAllCrops[] = {0, 1, 2};
constexpr std::int32_t kMiddleCrop[] = {1};
static_assert(std::size(kAllClips) == kVideoClips && std::size(kAllCrops) == kernels::kVideoCrops);

}  // namespace

std::array<FramePair, kVideoClips> frame_pairs(std::int64_t frames, double rate) noexcept {
  // A time is i/4 of the step, exact and then rounded once: the products of fma are exact.
  static_assert(kVideoClips - 1 == 4);
  const double step = std::max(static_cast<double>(frames) / rate - kVideoClipSeconds, 0.0);
  std::array<FramePair, kVideoClips> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double part = static_cast<double>(i) / (kVideoClips - 1);
    const double begin = std::ceil(rate * (part * step));
    const double end = std::ceil(rate * std::fma(part, step, double{kVideoClipSeconds}));
    const auto count = static_cast<double>(frames);
    const auto first = static_cast<std::int64_t>(std::min(begin, count - 1));
    const auto last = static_cast<std::int64_t>(std::min(end, count)) - 1;
    pairs[i] = {first, std::max(first, last)};
  }
  return pairs;
}

std::optional<VideoChoice> video_choice(std::int64_t views) noexcept {
  switch (views) {
    case kVideoClips* kernels::kVideoCrops:
      return VideoChoice{kAllClips, kAllCrops};
    case kVideoClips:
      return VideoChoice{kAllClips, kMiddleCrop};
    case std::size(kThreeClips):
      return VideoChoice{kThreeClips, kMiddleCrop};
    case 1:
      return VideoChoice{kMiddleClip, kMiddleCrop};
    default:
      return std::nullopt;
  }
}

VideoViews video_views(std::span<const FramePair> pairs, std::span<const std::int64_t> offsets,
                       std::span<const std::int32_t> crops) {
  constexpr std::int64_t kSquare = std::int64_t{kernels::kPictureSide} * kernels::kPictureSide;
  constexpr std::int64_t kColours = 3;
  std::vector<std::pair<FramePair, std::int64_t>> different;
  VideoViews views;
  for (const FramePair& pair : pairs) {
    for (const std::int32_t crop : crops) {
      const std::pair key{pair, offsets[static_cast<std::size_t>(crop)]};
      const auto found = std::ranges::find(different, key);
      const std::int64_t view = found - different.begin();
      views.index.push_back(view);
      for (std::size_t frame = 0; found == different.end() && frame < pair.size(); ++frame) {
        const std::int64_t plane = view * kColours * kVideoFrames + static_cast<std::int64_t>(frame);
        views.targets[pair[frame]].push_back({crop, plane * kSquare});
      }
      if (found == different.end()) {
        different.push_back(key);
      }
    }
  }
  views.count = static_cast<std::int64_t>(different.size());
  return views;
}

}  // namespace bindrt::prepare
