// Log-mel frames of a signal, each computed once however many windows it lies in.
//
// Frame f begins phase + kMelHop f samples of 16 kHz after an origin, from which the signal is counted too.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/mel/mel.h"
#include "kernels/resample/resample.h"

namespace bindrt::live {

// Frames [first, second) of a clip.
using FrameRange = std::pair<std::int64_t, std::int64_t>;

// A clip of every window. Its frames are the signal's, but for those that are the window's own, which is
// silent outside of itself.
struct MelPlan {
  std::int64_t first = 0;  // frame of the window with which it begins
  std::int64_t count = 0;  // of its frames; at most kMelFrames
  std::vector<FrameRange> shared{}, own{};
};

// A window of a signal.
struct MelWindow {
  kernels::AudioView signal;  // all that is kept; channel 0 is heard
  std::int64_t start = 0;     // samples [start, stop) of it
  std::int64_t stop = 0;
  std::int64_t frame = 0;                      // the number of its first frame
  kernels::MelStep steps[kernels::kMelSteps];  // of the clip
};

// One thread at a time may use it.
class MelStore {
 public:
  // Each number is (logarithm + add) * times, as in MelOutput.
  MelStore(const kernels::ResampleRates& rates, std::int64_t phase, float add, float times)
      : rates_(rates), phase_(phase), add_(add), times_(times) {}

  // Frames before this one will not be asked for again.
  void start_at(std::int64_t frame);

  // Writes a clip [kMelBands, kMelFrames] of a window, padded behind its frames. Its shared frames are at or
  // behind start_at's. False: a sample is beyond kMelMaxSample. Throws std::bad_alloc.
  bool fill(const MelWindow& window, const MelPlan& plan, float* out);

  std::int64_t begin() const noexcept { return begin_; }  // frames that are kept
  std::int64_t end() const noexcept { return end_; }
  std::int64_t computed() const noexcept { return computed_; }  // frames so far, windows' own too

 private:
  bool extend(const kernels::AudioView& signal, std::int64_t stop);
  bool own(const MelWindow& window, const MelPlan& plan, const FrameRange& range, float* out);
  bool hear(const kernels::AudioView& view, std::int64_t first, std::int64_t known, std::int64_t count);
  float* room(std::int64_t count);

  const kernels::ResampleRates rates_;
  const std::int64_t phase_;
  const float add_, times_;
  std::vector<float> frames_;  // [kMelBands, capacity_]
  std::int64_t capacity_ = 0;
  std::int64_t base_ = 0;  // the frame in the first column
  std::int64_t begin_ = 0, end_ = 0;
  std::int64_t computed_ = 0;
  std::vector<float> samples_;  // at 16 kHz
  std::vector<float> rest_;     // what the next frame shares with the last one
};

}  // namespace bindrt::live
