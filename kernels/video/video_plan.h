// What one call of `video_crops` computes: the resized rows and columns of its crops, each once.
#pragma once

#include <cstdint>

#include "kernels/video/video.h"

namespace bindrt::kernels {

// One axis of the resized frame: the entries that at least one crop holds, in order.
struct CropAxis {
  static constexpr std::int32_t kMost = kPictureSide * kVideoCrops;
  std::int32_t count;
  std::int32_t first[kVideoCrops];  // entry at which a crop starts; its kPictureSide entries are adjacent
  VideoTap taps[kMost];             // neighbours along this axis of the turned frame
};

// Ranges of source pixels that are converted, put side by side; each begins at an even place.
struct SourceRanges {
  std::int32_t count;
  std::int32_t begin[kVideoCrops];
  std::int32_t end[kVideoCrops];
  std::int32_t start[kVideoCrops];  // place of `begin` in the row put together

  std::int32_t length() const noexcept {
    return count == 0 ? 0 : start[count - 1] + end[count - 1] - begin[count - 1];
  }
  std::int32_t place(std::int32_t at) const noexcept {
    std::int32_t i = count - 1;
    while (i > 0 && at < begin[i]) {
      --i;
    }
    return start[i] + at - begin[i];
  }
};

struct CropPlan {
  CropAxis rows;
  CropAxis columns;
  SourceRanges ranges;  // what is converted of a source row
};

// `crops[c]` says whether crop c is wanted; at least one is.
void plan_crops(const DecodedPicture& frame, std::int32_t quarter_turns, const bool (&crops)[kVideoCrops],
                CropPlan& plan) noexcept;

}  // namespace bindrt::kernels
