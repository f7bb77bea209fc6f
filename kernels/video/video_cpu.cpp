// The video op on the CPU: lines of the resized frame, each computed once for all crops.
#include <algorithm>
#include <atomic>
#include <cstddef>

#include "kernels/base/half.h"
#include "kernels/base/parallel.h"
#include "kernels/base/scratch.h"
#include "kernels/video/video.h"
#include "kernels/video/video_lines.h"
#include "kernels/video/video_plan.h"

namespace bindrt::kernels {
namespace {

constexpr std::int32_t kLine = CropAxis::kMost;  // room for a line of the resized frame
constexpr std::int64_t kGrain = 28;              // lines a thread takes at once

// Offsets of the line's pixels from where a line of the source begins.
struct LineOffsets {
  std::int32_t low[kLine];
  std::int32_t high[kLine];
  float weight[kLine];
};

// A call's tables, and the source's pixels where lines of the turned frame run down its columns.
struct CropJob {
  const CropRequest* request;
  CropPlan plan;
  LineOffsets offsets;
  bool sideways;
  const std::uint32_t* packed;          // [rows of the source that are needed][plan.ranges.length()]
  std::int32_t source_rows[2 * kLine];  // which they are
  std::int32_t source_row_count;
};

void pack_ranges(const DecodedPicture& frame, const SourceRanges& ranges, std::int32_t row,
                 std::uint32_t* out) noexcept {
  for (std::int32_t i = 0; i < ranges.count; ++i) {
    pack_row(frame, row, ranges.begin[i], ranges.end[i], out + ranges.start[i]);
  }
}

// The line's pixels lie in one row of the source.
void straight_offsets(CropJob& job) noexcept {
  const CropAxis& columns = job.plan.columns;
  for (std::int32_t i = 0; i < columns.count; ++i) {
    job.offsets.low[i] = job.plan.ranges.place(columns.taps[i].low);
    job.offsets.high[i] = job.plan.ranges.place(columns.taps[i].high);
  }
}

// The number that a source row has among those needed. Taps come in order, two rows at a time.
std::int32_t needed_row(CropJob& job, std::int32_t row) noexcept {
  for (std::int32_t back = 1; back <= std::min(2, job.source_row_count); ++back) {
    if (job.source_rows[job.source_row_count - back] == row) {
      return job.source_row_count - back;
    }
  }
  job.source_rows[job.source_row_count] = row;
  return job.source_row_count++;
}

// The line's pixels lie in one column of the source, in rows that are packed beforehand.
void sideways_offsets(CropJob& job) noexcept {
  const CropAxis& columns = job.plan.columns;
  const std::int32_t length = job.plan.ranges.length();
  job.source_row_count = 0;
  for (std::int32_t i = 0; i < columns.count; ++i) {
    job.offsets.low[i] = needed_row(job, columns.taps[i].low) * length;
    job.offsets.high[i] = needed_row(job, columns.taps[i].high) * length;
  }
}

bool pack_sideways(CropJob& job, Scratch<std::uint32_t>& scratch, int threads) noexcept {
  const auto length = static_cast<std::size_t>(job.plan.ranges.length());
  std::uint32_t* const packed = scratch.get(static_cast<std::size_t>(job.source_row_count) * length);
  if (packed == nullptr) {
    return false;
  }
  parallel_for(job.source_row_count, kGrain, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      pack_ranges(job.request->frame, job.plan.ranges, job.source_rows[i],
                  packed + static_cast<std::size_t>(i) * length);
    }
  });
  job.packed = packed;
  return true;
}

// Lines blended along themselves: the two that the last output line used. Neighbours often share one.
class Lines {
 public:
  // `row`: where packed pixels of a row are put; `lines`: room for six lines.
  Lines(const CropJob& job, std::uint32_t* row, float* lines) noexcept
      : job_(job), row_(row), values_{lines, lines + 3 * kLine} {}

  // The lines of both places of a tap.
  void find(const VideoTap& tap, const float*& low, const float*& high) noexcept {
    const int first = slot_of(tap.low, slot_holding(tap.high) == 0 ? 1 : 0);
    const int second = slot_of(tap.high, 1 - first);
    low = values_[first];
    high = values_[second];
  }

 private:
  int slot_holding(std::int32_t at) const noexcept { return held_[0] == at ? 0 : held_[1] == at ? 1 : -1; }

  int slot_of(std::int32_t at, int free) noexcept {
    const int found = slot_holding(at);
    if (found >= 0) {
      return found;
    }
    const std::uint32_t* packed = row_;
    if (job_.sideways) {
      packed = job_.packed + job_.plan.ranges.place(at);
    } else {
      pack_ranges(job_.request->frame, job_.plan.ranges, at, row_);
    }
    const LineOffsets& offsets = job_.offsets;
    blend_pixels(packed, {offsets.low, offsets.high, offsets.weight, job_.plan.columns.count}, values_[free],
                 kLine);
    held_[free] = at;
    return free;
  }

  const CropJob& job_;
  std::uint32_t* row_;
  float* values_[2];
  std::int32_t held_[2] = {-1, -1};
};

// Puts a finished line into every crop that it crosses.
void write_line(const CropJob& job, std::int32_t line, const float* values) noexcept {
  const CropRequest& request = *job.request;
  for (std::int32_t i = 0; i < request.target_count; ++i) {
    const CropTarget& target = request.targets[i];
    const std::int32_t at = line - job.plan.rows.first[target.crop];
    if (at < 0 || at >= kPictureSide) {
      continue;
    }
    const float* const from = values + job.plan.columns.first[target.crop];
    for (std::int64_t colour = 0; colour < 3; ++colour) {
      store_row(request.out, request.type,
                target.place + colour * request.colour_stride + std::int64_t{at} * kPictureSide,
                from + colour * kLine, kPictureSide);
    }
  }
}

bool resize_lines(const CropJob& job, std::int64_t begin, std::int64_t end) noexcept {
  thread_local Scratch<std::uint32_t> row_memory;
  thread_local Scratch<float> line_memory;
  const auto length = static_cast<std::size_t>(job.sideways ? 1 : job.plan.ranges.length());
  std::uint32_t* const row = row_memory.get(length);
  float* const lines = line_memory.get(std::size_t{9} * kLine);
  if (row == nullptr || lines == nullptr) {
    return false;
  }
  Lines source(job, row, lines);
  float* const finished = lines + 6 * kLine;
  for (std::int64_t i = begin; i < end; ++i) {
    const VideoTap& tap = job.plan.rows.taps[i];
    const float* low = nullptr;
    const float* high = nullptr;
    source.find(tap, low, high);
    blend_lines(low, high, tap.weight, job.plan.columns.count, finished, kLine);
    write_line(job, static_cast<std::int32_t>(i), finished);
  }
  row_memory.trim();
  return true;
}

void prepare(const CropRequest& request, CropJob& job) noexcept {
  bool wanted[kVideoCrops] = {false, false, false};
  for (std::int32_t i = 0; i < request.target_count; ++i) {
    wanted[request.targets[i].crop] = true;
  }
  job.request = &request;
  job.sideways = request.quarter_turns % 2 != 0;
  plan_crops(request.frame, request.quarter_turns, wanted, job.plan);
  for (std::int32_t i = 0; i < job.plan.columns.count; ++i) {
    job.offsets.weight[i] = job.plan.columns.taps[i].weight;
  }
  if (job.sideways) {
    sideways_offsets(job);
  } else {
    straight_offsets(job);
  }
}

}  // namespace

bool video_crops(const CropRequest& request, int threads) noexcept {
  if (request.target_count == 0) {
    return true;
  }
  thread_local Scratch<CropJob> job_memory;
  thread_local Scratch<std::uint32_t> packed_memory;
  CropJob* const job = job_memory.get(1);
  if (job == nullptr) {
    return false;
  }
  prepare(request, *job);
  if (job->sideways && !pack_sideways(*job, packed_memory, threads)) {
    return false;
  }
  std::atomic<bool> enough{true};
  parallel_for(job->plan.rows.count, kGrain, threads, [&](std::int64_t begin, std::int64_t end) {
    if (!resize_lines(*job, begin, end)) {
      enough.store(false, std::memory_order_relaxed);
    }
  });
  packed_memory.trim();
  return enough.load(std::memory_order_relaxed);
}

}  // namespace bindrt::kernels
