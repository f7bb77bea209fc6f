// Plans which rows and columns the crops of a frame need.
#include "kernels/video/video_plan.h"

#include <algorithm>
#include <utility>

namespace bindrt::kernels {
namespace {

struct Interval {
  std::int64_t begin;
  std::int64_t end;
};

// At most one interval a crop, apart from each other and in order.
struct Intervals {
  std::int32_t count = 0;
  Interval at[kVideoCrops] = {};

  // Adds an interval; those that it meets become one with it.
  void add(Interval added) noexcept {
    std::int32_t kept = 0;
    for (std::int32_t i = 0; i < count; ++i) {
      if (at[i].end < added.begin || added.end < at[i].begin) {
        at[kept++] = at[i];
      } else {
        added = {std::min(at[i].begin, added.begin), std::max(at[i].end, added.end)};
      }
    }
    std::int32_t place = kept;
    for (; place > 0 && at[place - 1].begin > added.begin; --place) {
      at[place] = at[place - 1];
    }
    at[place] = added;
    count = kept + 1;
  }
};

void plan_axis(std::int32_t size, std::int64_t new_size, const std::int64_t (&offsets)[kVideoCrops],
               const bool (&crops)[kVideoCrops], CropAxis& axis) noexcept {
  Intervals intervals;
  for (std::int32_t crop = 0; crop < kVideoCrops; ++crop) {
    if (crops[crop]) {
      intervals.add({offsets[crop], offsets[crop] + kPictureSide});
    }
  }
  const float scale = static_cast<float>(size) / static_cast<float>(new_size);
  axis.count = 0;
  for (std::int32_t i = 0; i < intervals.count; ++i) {
    const Interval& interval = intervals.at[i];
    for (std::int32_t crop = 0; crop < kVideoCrops; ++crop) {
      if (crops[crop] && offsets[crop] >= interval.begin && offsets[crop] < interval.end) {
        axis.first[crop] = axis.count + static_cast<std::int32_t>(offsets[crop] - interval.begin);
      }
    }
    for (std::int64_t at = interval.begin; at < interval.end; ++at) {
      axis.taps[axis.count++] = video_tap(at, size, scale);
    }
  }
}

// Makes places of the turned frame into places of the source, where they run the other way.
void reverse(CropAxis& axis, std::int32_t size) noexcept {
  for (std::int32_t i = 0; i < axis.count; ++i) {
    axis.taps[i].low = size - 1 - axis.taps[i].low;
    axis.taps[i].high = size - 1 - axis.taps[i].high;
  }
}

// The source pixels of an axis. Taps of one crop lie close together, those of different crops may not.
void plan_ranges(const CropAxis& axis, const bool (&crops)[kVideoCrops], SourceRanges& ranges) noexcept {
  Intervals intervals;
  for (std::int32_t crop = 0; crop < kVideoCrops; ++crop) {
    if (crops[crop]) {
      const VideoTap& one = axis.taps[axis.first[crop]];
      const VideoTap& other = axis.taps[axis.first[crop] + kPictureSide - 1];
      const std::int32_t begin = std::min({one.low, one.high, other.low, other.high});
      const std::int32_t end = std::max({one.low, one.high, other.low, other.high}) + 1;
      intervals.add({begin - begin % 2, end});
    }
  }
  ranges.count = intervals.count;
  std::int32_t start = 0;
  for (std::int32_t i = 0; i < ranges.count; ++i) {
    ranges.begin[i] = static_cast<std::int32_t>(intervals.at[i].begin);
    ranges.end[i] = static_cast<std::int32_t>(intervals.at[i].end);
    ranges.start[i] = start;
    start += ranges.end[i] - ranges.begin[i];
  }
}

}  // namespace

void plan_crops(const DecodedPicture& frame, std::int32_t quarter_turns, const bool (&crops)[kVideoCrops],
                CropPlan& plan) noexcept {
  const bool sideways = quarter_turns % 2 != 0;
  const std::int32_t width = sideways ? frame.height : frame.width;
  const std::int32_t height = sideways ? frame.width : frame.height;
  const CropGeometry geometry = crop_geometry(width, height);
  const std::int64_t none[kVideoCrops] = {0, 0, 0};
  CropAxis& along = geometry.tall ? plan.rows : plan.columns;
  CropAxis& across = geometry.tall ? plan.columns : plan.rows;
  plan_axis(geometry.tall ? height : width, geometry.long_side, geometry.offsets, crops, along);
  plan_axis(geometry.tall ? width : height, kPictureSide, none, crops, across);
  if (quarter_turns == 1 || quarter_turns == 2) {
    reverse(plan.rows, height);
  }
  if (quarter_turns == 2 || quarter_turns == 3) {
    reverse(plan.columns, width);
  }
  plan_ranges(sideways ? plan.rows : plan.columns, crops, plan.ranges);
}

}  // namespace bindrt::kernels
