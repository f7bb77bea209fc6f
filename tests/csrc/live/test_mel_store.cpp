// Windows that share frames have the numbers of windows that are computed alone, bit by bit.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "csrc/live/mel_store.h"
#include "kernels/resample/audio_view.h"
#include "tests/cpp/check.h"

namespace bindrt::live {
namespace {

using namespace kernels;
using Floats = std::vector<float>;

constexpr ResampleRates kRates{3, 1};  // 48 kHz
constexpr std::int64_t kHop = 3 * kMelHop;
constexpr float kAdd = 4.0F, kTimes = 0.125F;
constexpr std::size_t kNumbers = kMelBands * kMelFrames;

Floats noise(std::int64_t count, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> numbers(-0.5F, 0.5F);
  Floats made(static_cast<std::size_t>(count));
  std::generate(made.begin(), made.end(), [&] { return numbers(random); });
  return made;
}

// Samples [begin, end) of a signal, alone in memory, so that a sanitizer sees whoever reads beside them.
struct Kept {
  Floats samples;
  AudioView view;

  Kept(const Floats& signal, std::int64_t begin, std::int64_t end)
      : samples(signal.begin() + begin, signal.begin() + end) {
    view.samples = samples.data();
    view.begin = begin;
    view.count = end - begin;
  }
};

// One frame, from samples of 16 kHz on; the signal is the view.
Floats frame_of(const AudioView& signal, std::int64_t first, const MelStep& step = {}) {
  Floats samples(kMelWindow), out(kMelBands);
  CHECK(resample(kRates, signal, 0, first, kMelWindow, samples.data(), 1));
  MelClip clip;
  clip.samples = samples.data();
  clip.count = kMelWindow;
  clip.steps[0] = step;
  log_mel(&clip, 1, {out.data(), OutType::kFloat32, 1, kAdd, kTimes}, 1);
  return out;
}

bool has_frame(const Floats& clip, std::int64_t column, const Floats& frame) {
  bool equal = true;
  for (std::size_t band = 0; band < kMelBands; ++band) {
    equal = equal && clip[band * kMelFrames + static_cast<std::size_t>(column)] == frame[band];
  }
  return equal;
}

// A signal of which little is kept, in windows of 40 frames every `step`; the first two are the window's own.
void check_windows(std::int64_t phase, std::int64_t step) {
  constexpr std::int64_t kFrames = 40, kWindow = kHop * (kFrames + 3);
  const Floats signal = noise(12 * step * kHop + kWindow);
  const Kept whole(signal, 0, static_cast<std::int64_t>(signal.size()));
  MelStore store(kRates, phase, kAdd, kTimes);
  const MelPlan plan{0, kFrames, {{2, kFrames}}, {{0, 2}}};
  for (std::int64_t number = 0; number < 12; ++number) {
    const std::int64_t start = number * step * kHop;
    const Kept kept(signal, start, start + kWindow);
    MelWindow window{kept.view, start, start + kWindow, number * step, {}};
    window.steps[0] = {200, 0.25F};
    Floats out(kNumbers, -77.0F);
    store.start_at(window.frame);
    CHECK(store.fill(window, plan, out.data()));
    AudioView alone = kept.view;
    alone.begin = 0;
    CHECK(has_frame(out, 0, frame_of(alone, phase, {200, 0.25F})));
    CHECK(has_frame(out, 1, frame_of(alone, phase + kMelHop, {200 - kMelHop, 0.25F})));
    for (std::int64_t column = 2; column < kFrames; ++column) {
      CHECK(has_frame(out, column, frame_of(whole.view, phase + (window.frame + column) * kMelHop)));
    }
    CHECK(has_frame(out, kFrames, Floats(kMelBands, kAdd * kTimes)));
    CHECK(has_frame(out, kMelFrames - 1, Floats(kMelBands, kAdd * kTimes)));
  }
  CHECK(store.computed() == kFrames + 11 * std::min(step, kFrames) + 12 * 2);
}

void test_windows() {
  check_windows(0, 1);
  check_windows(7, 10);
  check_windows(159, 39);
  check_windows(0, 100);  // between two windows are frames that none has
}

void test_parts_of_a_clip() {
  const Floats signal = noise(kHop * 80, 2);
  const Kept whole(signal, 0, kHop * 80);
  MelStore store(kRates, 0, kAdd, kTimes);
  const MelPlan plan{5, 60, {{1, 20}, {22, 60}}, {{20, 22}}};
  Floats out(kNumbers, -77.0F);
  const MelWindow window{whole.view, 0, kHop * 80, 0, {}};
  CHECK(store.fill(window, plan, out.data()) && out[0] == -77.0F);
  CHECK(has_frame(out, 1, frame_of(whole.view, 6 * kMelHop)));
  CHECK(has_frame(out, 21, frame_of(whole.view, 26 * kMelHop)));
  CHECK(has_frame(out, 59, frame_of(whole.view, 64 * kMelHop)));
}

void test_samples_that_are_none() {
  Floats signal = noise(kHop * 20);
  signal[kHop * 10] = std::numeric_limits<float>::quiet_NaN();
  const Kept kept(signal, 0, kHop * 20);
  MelStore store(kRates, 0, kAdd, kTimes);
  Floats out(kNumbers);
  const MelWindow window{kept.view, 0, kHop * 20, 0, {}};
  CHECK(!store.fill(window, {0, 15, {{0, 15}}, {}}, out.data()));
  CHECK(!store.fill(window, {0, 15, {}, {{5, 15}}}, out.data()));
  CHECK(store.fill(window, {0, 5, {{0, 5}}, {}}, out.data()) && store.end() == 5);
}

}  // namespace
}  // namespace bindrt::live

int main() {
  using namespace bindrt::live;
  test_windows();
  test_parts_of_a_clip();
  test_samples_that_are_none();
  return bindrt::testing::finish();
}
