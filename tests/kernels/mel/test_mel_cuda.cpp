// Log-mel spectra on the simulator against the CPU side: the same bits, where clips overlap nearly so.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/mel/mel_gpu.h"
#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

struct Recording {
  Recording(std::int64_t count, const Pairs& pairs, unsigned seed) {
    Random random(seed);
    for (std::int64_t i = 0; i < count; ++i) {
      first.push_back(static_cast<float>(random.below(20001)) / 50000.0F);
      channels.push_back(first.back() * 0.5F + static_cast<float>(random.below(2001)) / 10000.0F);
    }
    for (const auto& [begin, end] : pairs) {
      double sum = 0.0;
      for (std::int64_t i = begin; i < end; ++i) {
        sum += static_cast<double>(channels[static_cast<std::size_t>(i)]);
      }
      ranges.push_back({begin, end, end > begin ? sum / static_cast<double>(end - begin) : 0.0});
    }
  }
  bool means() const {
    return !ranges.empty() && needs_mean(ranges.data(), static_cast<std::int64_t>(ranges.size()), 0);
  }

  std::vector<float> first;
  std::vector<float> channels;
  std::vector<ClipRange> ranges;
};

template <class Number>
std::vector<Number> on_cpu(const std::vector<Recording>& recordings, MelOutput output, std::size_t size) {
  std::vector<Number> out(size);
  std::int64_t view = 0;
  for (const Recording& it : recordings) {
    const auto count = static_cast<std::int64_t>(it.ranges.size());
    MelClip clips[kMostClips];
    plan_clips(it.ranges.data(), count, it.first.data(), output.columns, clips);
    output.out = out.data() + view * kMelBands * output.columns;
    log_mel(clips, count, output, 1);
    view += count;
  }
  return out;
}

double number(float value) { return static_cast<double>(value); }
double number(std::uint16_t half) {
  return std::ldexp((half & 0x3FF) + ((half & 0x7C00) != 0 ? 1024 : 0), std::max(half >> 10 & 31, 1) - 25) *
         (half >> 15 != 0 ? -1 : 1);
}

// All recordings in one call.
template <class Number>
void compare(const std::vector<Recording>& recordings, std::int64_t columns, OutType type) {
  SimQueue queue;
  std::vector<std::unique_ptr<DeviceArray<float>>> memory;
  std::vector<MelRecording> items;
  std::int64_t view = 0;
  bool exact = true;
  for (const Recording& it : recordings) {
    MelRecording item;
    memory.push_back(std::make_unique<DeviceArray<float>>(it.first));
    item.first = memory.back()->data();
    if (it.means()) {
      memory.push_back(std::make_unique<DeviceArray<float>>(it.channels));
      item.channels = memory.back()->data();
      exact = false;
    }
    std::copy(it.ranges.begin(), it.ranges.end(), item.ranges);
    item.clips = static_cast<std::int32_t>(it.ranges.size());
    item.view = view;
    view += item.clips;
    items.push_back(item);
  }
  const auto size = static_cast<std::size_t>(view * kMelBands * columns);
  const DeviceArray<Number> out(size);
  MelOutput output;
  output.out = out.data();
  output.type = type;
  output.columns = columns;
  log_mel_gpu(queue, items.data(), static_cast<std::int64_t>(items.size()), output);
  const std::vector<Number> got = out.download();
  const std::vector<Number> want = on_cpu<Number>(recordings, output, size);
  CHECK(!exact || got == want);
  std::size_t far = 0;
  for (std::size_t i = 0; i < size; ++i) {
    far += std::fabs(number(got[i]) - number(want[i])) > 1e-3 ? 1 : 0;
  }
  CHECK(far == 0);
}

}  // namespace

int main() {
  const std::vector<Recording> apart = {
      {5000, {{0, 1000}, {2000, 3000}, {4000, 5000}}, 1},
      {700, {{0, 700}, {0, 700}, {0, 700}}, 2},  // computed once
      {2400, {{7, 406}}, 3},                     // too short: all padding
      {3120, {{0, 3120}, {0, 3120}}, 4},         // the last frame ends with the memory
  };
  compare<float>(apart, 19, OutType::kFloat32);
  compare<std::uint16_t>(apart, 19, OutType::kFloat16);
  const std::vector<Recording> overlapping = {
      {3000, {{0, 1600}, {800, 2400}, {1400, 3000}}, 5},  // 800: frames that are shared; 1400: none
      {2000, {{0, 1000}, {160, 1160}, {320, 1320}}, 6},
      {2000, {{0, 900}, {501, 1400}, {1003, 1903}}, 7},
  };
  compare<float>(overlapping, 10, OutType::kFloat32);
  compare<float>(overlapping, 3, OutType::kFloat32);  // fewer columns than frames
  compare<float>({}, 204, OutType::kFloat32);
  compare<float>({{600, {}, 8}}, 204, OutType::kFloat32);
  return bindrt::testing::finish();
}
