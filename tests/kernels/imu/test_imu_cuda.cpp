// The IMU grid on the simulator against the CPU side: the same numbers.
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "kernels/imu/imu_gpu.h"
#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

constexpr std::size_t kNumbers = std::size_t{kImuChannels} * kImuSteps;

// A recording on the host; channel first, or sample first.
struct Host {
  Host(std::int64_t count, bool interleaved, double rate, bool listed, unsigned seed)
      : values(6 * static_cast<std::size_t>(count)) {
    Random random(seed);
    for (float& value : values) {
      value = static_cast<float>(random.below(20001)) / 1000.0F - 10.0F;
    }
    double time = 100.0;
    for (std::int64_t i = 0; i < count; ++i) {
      seconds.push_back(time);
      time += (0.5 + static_cast<double>(random.below(1000)) / 1000.0) / rate;
    }
    samples = {values.data(), ImuSamples::Type::kFloat32, count, interleaved ? 1 : count,
               interleaved ? 6 : 1};
    times = listed ? ImuTimes{ImuTimes::Type::kFloat64, 0.0, seconds.data()}
                   : ImuTimes{ImuTimes::Type::kRate, rate, nullptr};
    samples.count = check_imu_times(times, count, 1e9).used;
  }
  Host(const Host&) = delete;

  std::vector<float> values;
  std::vector<double> seconds;
  ImuSamples samples;
  ImuTimes times;
};

template <class Number>
void compare(const std::vector<const Host*>& hosts, const ImuOptions& options) {
  SimQueue queue;
  std::deque<DeviceArray<float>> memory;  // which are not moved
  std::vector<ImuRecording> recordings;
  for (const Host* host : hosts) {
    memory.emplace_back(host->values);
    ImuSamples samples = host->samples;
    samples.data = memory.back().data();
    recordings.push_back({samples, host->times});
  }
  const DeviceArray<Number> out(hosts.size() * kNumbers);
  const DeviceArray<std::uint32_t> bad(hosts.size());
  imu_grid_gpu(queue, recordings.data(), static_cast<std::int64_t>(hosts.size()), options, bad.data(),
               out.data());
  const std::vector<Number> got = out.download();
  const std::vector<std::uint32_t> counts = bad.download();
  std::vector<Number> want(kNumbers);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::int64_t wrong = imu_grid(hosts[i]->samples, hosts[i]->times, options, want.data());
    CHECK(counts[i] == wrong);
    for (std::size_t k = 0; k < kNumbers; ++k) {
      const Number number = got[i * kNumbers + k];
      CHECK(wrong == 0 ? number == want[k] : std::isnan(static_cast<double>(number)));
    }
  }
}

// Whole numbers of any kind give what the same numbers give as doubles, here and there.
template <class Whole>
void compare_whole(ImuSamples::Type type) {
  constexpr std::int64_t kCount = 400;
  std::vector<Whole> values(6 * kCount);
  std::vector<double> doubles(values.size());
  Random random(7);
  for (std::size_t i = 0; i < values.size(); ++i) {
    // The largest have more digits than a double has.
    const auto small = static_cast<Whole>(random.below(100));
    values[i] = static_cast<Whole>(i % 50 == 0 ? std::numeric_limits<Whole>::max() - small
                                               : std::numeric_limits<Whole>::min() + small);
    doubles[i] = static_cast<double>(values[i]);
  }
  const ImuTimes times{ImuTimes::Type::kRate, 70.0, nullptr};
  const ImuSamples host{values.data(), type, kCount, kCount, 1};
  const ImuSamples same{doubles.data(), ImuSamples::Type::kFloat64, kCount, kCount, 1};
  ImuOptions options;
  options.gain = {0.5, 2, 1, 3, 1, 0.25};
  options.offset = {0, -1, 7, 0, 1, 0};
  std::vector<float> want(kNumbers), here(kNumbers);
  CHECK(imu_grid(same, times, options, want.data()) == 0 && imu_grid(host, times, options, here.data()) == 0);
  CHECK(here == want);
  std::vector<float> few(kNumbers / 20), few_of_same(kNumbers / 20);
  imu_steps(host, times, options, 20, few.data());
  imu_steps(same, times, options, 20, few_of_same.data());
  CHECK(few == few_of_same);

  SimQueue queue;
  const DeviceArray<Whole> memory(values);
  ImuSamples there = host;
  there.data = memory.data();
  const DeviceArray<float> out(kNumbers);
  const DeviceArray<std::uint32_t> bad(1);
  const ImuRecording recording{there, times};
  imu_grid_gpu(queue, &recording, 1, options, bad.data(), out.data());
  CHECK(out.download() == want && bad.download() == std::vector<std::uint32_t>{0});
}

}  // namespace

int main() {
  const Host even(1100, false, 200.0, false, 1);
  const Host listed(700, true, 130.0, true, 2);
  const Host fast(5200, false, 1000.0, false, 3);
  const Host least(2, false, 0.3, true, 4);
  Host bad(900, true, 180.0, false, 5);
  bad.values[17] = std::numeric_limits<float>::quiet_NaN();
  bad.values[100] = -std::numeric_limits<float>::infinity();
  Host between(5200, false, 1000.0, false, 6);  // a sample that no step lies beside
  between.values[4] = std::numeric_limits<float>::infinity();
  ImuOptions options;
  compare<float>({&even, &listed, &fast, &bad, &least, &between}, options);
  options.gain = {9.80665, 2, 1, 0.017453292519943295, 1, 0.5};
  options.offset = {0, -1, 0.25, 0, 3, 0};
  options.out_type = OutType::kFloat16;
  compare<std::uint16_t>({&listed, &even}, options);
  using Type = ImuSamples::Type;
  compare_whole<std::int8_t>(Type::kInt8);
  compare_whole<std::uint8_t>(Type::kUint8);
  compare_whole<std::int16_t>(Type::kInt16);
  compare_whole<std::uint16_t>(Type::kUint16);
  compare_whole<std::int32_t>(Type::kInt32);
  compare_whole<std::uint32_t>(Type::kUint32);
  compare_whole<std::int64_t>(Type::kInt64);
  compare_whole<std::uint64_t>(Type::kUint64);
  return bindrt::testing::finish();
}
