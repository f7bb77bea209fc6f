// Resampling on the simulator against the CPU side: the same bits.
#include <cstdint>
#include <vector>

#include "kernels/resample/resample_gpu.h"
#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

// One item: samples of some type and layout on the host, and what is wanted of them.
struct Case {
  ResampleRates rates;
  SampleType type;
  std::int32_t channels;
  bool interleaved;
  std::int64_t begin;
  std::int64_t samples;
  std::int32_t channel;
  std::int64_t first;
  std::int64_t count;
};

std::vector<std::uint8_t> bytes_of(const Case& it, unsigned seed) {
  const std::size_t size = it.type == SampleType::kInt16 ? 2 : 4;
  std::vector<std::uint8_t> bytes(size * static_cast<std::size_t>(it.channels * it.samples));
  Random random(seed);
  for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
    const auto integer = static_cast<std::int32_t>(random.below(60001)) - 30000;
    const float real = static_cast<float>(integer) / 30000.0F;
    const std::int32_t wide = integer * 70000;
    const auto narrow = static_cast<std::int16_t>(integer);
    const void* const from = it.type == SampleType::kFloat32 ? static_cast<const void*>(&real)
                             : it.type == SampleType::kInt16 ? static_cast<const void*>(&narrow)
                                                             : static_cast<const void*>(&wide);
    __builtin_memcpy(bytes.data() + at, from, size);
  }
  return bytes;
}

AudioView view_of(const Case& it, const void* samples) {
  const std::int64_t size = it.type == SampleType::kInt16 ? 2 : 4;
  AudioView view;
  view.samples = samples;
  view.type = it.type;
  view.channels = it.channels;
  view.begin = it.begin;
  view.count = it.samples;
  view.sample_stride = it.interleaved ? size * it.channels : size;
  view.channel_stride = it.interleaved ? size : size * it.samples;
  return view;
}

// All cases in one call.
void compare(const std::vector<Case>& cases) {
  SimQueue queue;
  std::vector<std::vector<std::uint8_t>> host;
  std::vector<std::unique_ptr<DeviceArray<std::uint8_t>>> inputs;
  std::vector<std::unique_ptr<DeviceArray<float>>> outputs;
  std::vector<ResampleItem> items;
  for (const Case& it : cases) {
    host.push_back(bytes_of(it, static_cast<unsigned>(host.size())));
    inputs.push_back(std::make_unique<DeviceArray<std::uint8_t>>(host.back()));
    outputs.push_back(std::make_unique<DeviceArray<float>>(static_cast<std::size_t>(it.count)));
    CHECK(resamples_on_gpu(it.rates));
    items.push_back({it.rates, view_of(it, inputs.back()->data()), it.channel, it.first, it.count,
                     outputs.back()->data()});
  }
  resample_gpu(queue, items.data(), static_cast<std::int64_t>(items.size()));
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& it = cases[i];
    std::vector<float> want(static_cast<std::size_t>(it.count));
    CHECK(resample(it.rates, view_of(it, host[i].data()), it.channel, it.first, it.count, want.data(), 1));
    CHECK(outputs[i]->download() == want);
  }
}

constexpr auto kFloat = SampleType::kFloat32;
constexpr auto kShort = SampleType::kInt16;
constexpr auto kLong = SampleType::kInt32;

}  // namespace

int main() {
  compare({
      {{441, 160}, kShort, 2, true, 0, 1500, 0, 0, 545},  // a recording whole
      {{441, 160}, kShort, 2, true, 0, 1500, kMeanOfChannels, 3, 301},
      {{3, 1}, kFloat, 1, false, 100, 700, 0, 20, 250},
      {{1, 2}, kLong, 3, true, 0, 90, kMeanOfChannels, 0, 180},
      {{1, 1}, kShort, 2, false, 7, 300, 1, 0, 320},  // equal rates: copied
      {{441, 320}, kFloat, 2, false, 0, 5, 1, 0, 0},  // nothing wanted
      {{441, 320}, kFloat, 2, false, 0, 0, 1, 0, 9},  // nothing there
  });
  compare({{{250, 1}, kFloat, 1, false, 0, 9000, 0, 2, 33}});               // a window in many pieces
  compare({{{22051, 16000}, kFloat, 1, false, 2000, 200, 0, 1500, 40}});    // more taps than outputs
  compare({{{1000003, 16000}, kShort, 1, false, 31000, 900, 0, 500, 11}});  // a table would be too large
  compare({});
  CHECK(!resamples_on_gpu({5000, 1}) && !resamples_on_gpu({2, 4}) && resamples_on_gpu({1, 1}));
  CHECK(resamples_on_gpu({749, 1}));
  return bindrt::testing::finish();
}
