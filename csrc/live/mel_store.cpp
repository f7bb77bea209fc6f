// Computes frames as a signal grows, and copies them into windows.
#include "csrc/live/mel_store.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "kernels/resample/audio_view.h"

namespace bindrt::live {
namespace {

using namespace kernels;

// Columns of a store for so many frames. An odd multiple of a cache line: with a power of two all bands of a
// frame would take the same few lines.
std::int64_t capacity_for(std::int64_t frames) noexcept { return (2 * frames / 16 + 1) * 16 | 16; }

}  // namespace

void MelStore::start_at(std::int64_t frame) {
  if (frame > end_) {
    base_ = begin_ = end_ = frame;
    rest_.clear();
  }
  begin_ = std::max(begin_, frame);
}

bool MelStore::fill(const MelWindow& window, const MelPlan& plan, float* out) {
  const std::int64_t at = window.frame + plan.first;
  const float padding = (0.0F + add_) * times_;
  for (std::int64_t band = 0; band < kMelBands; ++band) {
    std::fill(out + band * kMelFrames + plan.count, out + (band + 1) * kMelFrames, padding);
  }
  for (const FrameRange& each : plan.shared) {
    if (!extend(window.signal, at + each.second)) {
      return false;
    }
    const float* const from = frames_.data() + (at + each.first - base_);
    const auto size = static_cast<std::size_t>(each.second - each.first) * sizeof(float);
    for (std::int64_t band = 0; band < kMelBands; ++band) {
      std::memcpy(out + band * kMelFrames + each.first, from + band * capacity_, size);
    }
  }
  return std::all_of(plan.own.begin(), plan.own.end(),
                     [&](const FrameRange& each) { return own(window, plan, each, out + each.first); });
}

// Samples [first, first + count) at 16 kHz, of which the first `known` are there already.
bool MelStore::hear(const AudioView& view, std::int64_t first, std::int64_t known, std::int64_t count) {
  samples_.resize(static_cast<std::size_t>(count));
  float* const to = samples_.data() + known;
  if (!resample(rates_, view, 0, first + known, count - known, to, 1)) {
    throw std::bad_alloc();
  }
  AudioView heard;
  heard.samples = to;
  heard.count = count - known;
  return peak(heard) <= kMelMaxSample;
}

// Computes the frames up to `stop`, from the samples of the signal that there are.
bool MelStore::extend(const AudioView& signal, std::int64_t stop) {
  const std::int64_t count = stop - end_;
  if (count <= 0) {
    return true;
  }
  const std::int64_t length = (count - 1) * kMelHop + kMelWindow;
  samples_.assign(rest_.begin(), rest_.end());
  if (!hear(signal, phase_ + end_ * kMelHop, static_cast<std::int64_t>(rest_.size()), length)) {
    return false;
  }
  MelClip clip;
  clip.samples = samples_.data();
  clip.count = length;
  float* const to = room(count);
  log_mel_frames(clip, {to, OutType::kFloat32, count, add_, times_}, capacity_);
  rest_.assign(samples_.begin() + count * kMelHop, samples_.end());
  end_ = stop;
  computed_ += count;
  return true;
}

bool MelStore::own(const MelWindow& window, const MelPlan& plan, const FrameRange& range, float* out) {
  const std::int64_t count = range.second - range.first;
  AudioView alone = cut(window.signal, window.start, window.stop);
  alone.begin = 0;  // it is silent before
  const std::int64_t length = (count - 1) * kMelHop + kMelWindow;
  if (!hear(alone, phase_ + (plan.first + range.first) * kMelHop, 0, length)) {
    return false;
  }
  MelClip clip;
  clip.samples = samples_.data();
  clip.count = length;
  std::copy(std::begin(window.steps), std::end(window.steps), clip.steps);
  for (MelStep& step : clip.steps) {
    step.at -= range.first * kMelHop;
  }
  log_mel_frames(clip, {out, OutType::kFloat32, count, add_, times_}, kMelFrames);
  computed_ += count;
  return true;
}

// The next `count` columns; what is still needed moves to the front when the end is reached.
float* MelStore::room(std::int64_t count) {
  if (end_ - base_ + count > capacity_) {
    const std::int64_t kept = end_ - begin_;
    const std::int64_t capacity = std::max(capacity_for(kept + count), capacity_);
    std::vector<float> grown(capacity > capacity_ ? static_cast<std::size_t>(kMelBands * capacity) : 0);
    float* const to = grown.empty() ? frames_.data() : grown.data();
    for (std::int64_t band = 0; kept > 0 && band < kMelBands; ++band) {
      std::memmove(to + band * capacity, frames_.data() + band * capacity_ + (begin_ - base_),
                   static_cast<std::size_t>(kept) * sizeof(float));
    }
    if (!grown.empty()) {
      frames_.swap(grown);
    }
    capacity_ = capacity;
    base_ = begin_;
  }
  return frames_.data() + (end_ - base_);
}

}  // namespace bindrt::live
