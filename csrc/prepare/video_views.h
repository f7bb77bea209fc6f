// Which frames the video encoder sees, and where their crops go. As runtime/bindrt/modalities/steps/clips.py
// and view_plan.py have it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "csrc/prepare/video_numbers.h"
#include "kernels/video/video.h"

namespace bindrt::prepare {

// The first and the last frame of a clip.
using FramePair = std::array<std::int64_t, kVideoFrames>;

// Those of clips that are spread evenly over so many frames, at so many a second.
std::array<FramePair, kVideoClips> frame_pairs(std::int64_t frames, double rate) noexcept;

// Clips and crops that are computed.
struct VideoChoice {
  std::span<const std::int32_t> clips;
  std::span<const std::int32_t> crops;
};

// By the number of views; nothing for a number that there is not.
std::optional<VideoChoice> video_choice(std::int64_t views) noexcept;

// The views of a video. Each different one is made once: a short video's clips and a square one's crops are
// equal.
struct VideoViews {
  std::vector<std::int64_t> index;  // which of them each view of the item is
  std::int64_t count = 0;
  std::map<std::int64_t, std::vector<kernels::CropTarget>> targets;  // by frame
};

// `pairs` has the frames of each chosen clip, `offsets` where the three crops of every frame begin.
VideoViews video_views(std::span<const FramePair> pairs, std::span<const std::int64_t> offsets,
                       std::span<const std::int32_t> crops);

}  // namespace bindrt::prepare
