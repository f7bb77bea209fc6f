// The IMU op against its definition.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/imu/imu.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt::kernels;

constexpr auto kNumbers = static_cast<std::size_t>(kImuChannels) * kImuSteps;

ImuTimes rate_of(double rate) { return {ImuTimes::Type::kRate, rate, nullptr}; }
ImuTimes listed(const std::vector<double>& times) { return {ImuTimes::Type::kFloat64, 0.0, times.data()}; }

// What the grid is at step `step`: the definition, by looking through all samples.
double definition(const std::vector<double>& values, const std::vector<double>& times, int step) {
  const double at = step / kImuRate;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    const double begin = times[i] - times[0];
    const double end = times[i + 1] - times[0];
    if (at >= begin && at < end) {
      return values[i] + (values[i + 1] - values[i]) * ((at - begin) / (end - begin));
    }
  }
  return values.back();
}

template <class Number>
constexpr ImuSamples::Type kTypeOf =
    sizeof(Number) == 8 ? ImuSamples::Type::kFloat64 : ImuSamples::Type::kFloat32;

// Six channels of random numbers, exactly as long as they must be, with strides of any kind.
template <class Number>
struct Recording {
  Recording(std::int64_t n, bool interleaved, std::uint32_t seed)
      : count(n), values(6 * static_cast<std::size_t>(n)) {
    std::mt19937 random(seed);
    std::normal_distribution<Number> numbers(0, 3);
    for (Number& value : values) {
      value = numbers(random);
    }
    samples = interleaved ? ImuSamples{values.data(), kTypeOf<Number>, n, 1, 6}
                          : ImuSamples{values.data() + 5 * n, kTypeOf<Number>, n, -n, 1};
  }

  std::vector<double> channel(std::size_t c) const {
    std::vector<double> out;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t at =
          static_cast<std::int64_t>(c) * samples.channel_stride + i * samples.sample_stride;
      out.push_back(static_cast<double>(static_cast<const Number*>(samples.data)[at]));
    }
    return out;
  }

  std::int64_t count;
  std::vector<Number> values;
  ImuSamples samples;
};

std::vector<float> grid(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options) {
  std::vector<float> out(kNumbers, -7.0F);
  CHECK(imu_grid(samples, times, options, out.data()) == 0);
  return out;
}

template <class Number>
void against_definition(const Recording<Number>& it, const ImuTimes& given,
                        const std::vector<double>& times) {
  const ImuTimeReport report = check_imu_times(given, it.count, 1e9);
  CHECK(report.not_finite == 0 && report.unordered < 0 && report.gap < 0);
  CHECK(report.used >= 2 && report.used <= it.count);
  ImuSamples used = it.samples;
  used.count = report.used;
  ImuOptions options;
  options.gain = {1, 2, 3, -1, 0.5, 9.80665};
  options.offset = {0, 1, -1, 0, 0, 5};
  limit_cpu_level(CpuLevel::kBaseline);
  const std::vector<float> baseline = grid(used, given, options);
  for (std::size_t c = 0; c < 6; ++c) {
    const std::vector<double> channel = it.channel(c);
    for (int step = 0; step < kImuSteps; step += 7) {
      const double want = definition(channel, times, step) * options.gain[c] + options.offset[c];
      CHECK_NEAR(static_cast<double>(baseline[c * kImuSteps + static_cast<std::size_t>(step)]), want,
                 1e-6 * (1 + std::fabs(want)));
    }
  }
  for (const CpuLevel level : {CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    limit_cpu_level(level);
    CHECK(grid(used, given, options) == baseline);  // the very same bits
  }
  options.out_type = OutType::kFloat16;
  std::vector<std::uint16_t> halves(kNumbers);
  CHECK(imu_grid(used, given, options, halves.data()) == 0);
  for (std::size_t i = 0; i < kNumbers; ++i) {
    CHECK(halves[i] == to_half(baseline[i]));
  }
}

void rates_and_times() {
  for (const std::int64_t count : {2, 3, 150, 999, 1001, 2600}) {
    for (const double rate : {0.3, 30.0, 97.3, 200.0, 400.0, 3333.0}) {
      std::vector<double> times;
      for (std::int64_t i = 0; i < count; ++i) {
        times.push_back(static_cast<double>(i) / rate);
      }
      against_definition(Recording<float>(count, count % 2 == 0, 1), rate_of(rate), times);
      against_definition(Recording<double>(count, count % 2 == 1, 2), listed(times), times);
    }
  }
}

void uneven_times() {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> steps(1e-4, 2e-2);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> times{1.7e9};
    while (times.back() - times.front() < 0.4 * round + 0.1) {
      times.push_back(times.back() + steps(random));
    }
    against_definition(Recording<float>(static_cast<std::int64_t>(times.size()), false, 4), listed(times),
                       times);
  }
}

template <class Number>
ImuTimeReport check_list(const std::vector<Number>& times, ImuTimes::Type type, double max_gap = 0.1) {
  return check_imu_times({type, 0.0, times.data()}, static_cast<std::int64_t>(times.size()), max_gap);
}

void faults() {
  constexpr auto kType = ImuTimes::Type::kFloat64;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(check_list<double>({0, nan, infinity, 3}, kType).not_finite == 2);
  CHECK(check_list<double>({nan, nan}, kType).not_finite == 2);
  CHECK(check_list<double>({0, 0.01, 0.01, 0.02}, kType).unordered == 2);
  CHECK(check_list<double>({0, 0.01, 0.02, 0.005}, kType).unordered == 3);
  CHECK(check_list<float>({5, 4}, ImuTimes::Type::kFloat32).unordered == 1);
  CHECK(check_list<std::uint64_t>({5, 4}, ImuTimes::Type::kUint64).unordered == 1);
  const ImuTimeReport gap = check_list<double>({0, 0.1, 0.3, 0.7}, kType);
  CHECK(gap.gap == 1 && std::fabs(gap.gap_seconds - 0.2) < 1e-12 && gap.last == 0.7);
  CHECK(check_list<double>({0, 0.1, 0.2}, kType).gap == -1);  // 0.1 is allowed, however it is rounded
  CHECK(check_list<double>({0, 2, 4, 5.5, 90}, kType, 2.0).gap == -1);  // after the window
  CHECK(check_imu_times(rate_of(5), 100, 0.1).gap == 0);
  CHECK(check_imu_times(rate_of(10), 100, 0.1).gap == -1);
}

void what_the_grid_depends_on() {
  CHECK(check_imu_times(rate_of(200), 5000, 0.1).used == 1001);
  CHECK(check_imu_times(rate_of(400), 5000, 0.1).used == 2000);
  CHECK(check_imu_times(rate_of(400), 700, 0.1).used == 700);
  CHECK(check_imu_times(rate_of(1e-300), 5, 1e308).used == 2);
  CHECK(check_imu_times(rate_of(1e308), 5, 0.1).used == 5);
  CHECK(check_imu_times(rate_of(200), 5000, 0.1).last == 4999.0 / 200);
  Recording<float> it(1200, false, 5);
  it.values[5 * 1200 + 1001] = std::numeric_limits<float>::quiet_NaN();  // channel 0, the first unused one
  ImuSamples used = it.samples;
  used.count = 1001;
  std::vector<float> out(kNumbers, -7.0F);
  CHECK(imu_grid(used, rate_of(200), {}, out.data()) == 0);
  used.count = 1002;
  out.assign(kNumbers, -7.0F);
  CHECK(imu_grid(used, rate_of(200), {}, out.data()) == 1);
  CHECK(out == std::vector<float>(kNumbers, -7.0F));
}

// Integers keep their digits, also where a float could not tell neighbours apart.
void large_integers() {
  const std::vector<std::int64_t> signed_times{-9223372036854775807, -9223372036854775806,
                                               -9223372036854775804};
  const ImuTimeReport report = check_list(signed_times, ImuTimes::Type::kInt64, 10.0);
  CHECK(report.last == 3.0 && report.used == 3);
  const std::vector<std::int64_t> far{-9223372036854775807, 9223372036854775807};
  CHECK(check_list(far, ImuTimes::Type::kInt64, 1e300).last == 18446744073709551614.0);
  const std::vector<std::uint64_t> unsigned_times{18446744073709551612U, 18446744073709551613U};
  CHECK(check_list(unsigned_times, ImuTimes::Type::kUint64, 10.0).last == 1.0);
}

// Extreme numbers stay inside the arrays, whatever they give.
void extremes() {
  const double most = std::numeric_limits<double>::max();
  const Recording<double> it(3, false, 6);
  std::vector<float> out(kNumbers);
  for (const std::vector<double>& times :
       {std::vector<double>{-most, 0, most}, {0, 5e-324, 1e-323}, {0, 1e-320, most}, {3, 2, 1}, {1, 1, 1}}) {
    CHECK(imu_grid(it.samples, listed(times), {}, out.data()) == 0);
  }
  for (const double rate : {5e-324, 1e-300, 1e300, most}) {
    CHECK(imu_grid(it.samples, rate_of(rate), {}, out.data()) == 0);
    CHECK(std::isfinite(out[0]) && std::isfinite(out[kNumbers - 1]));
  }
}

void threads() {
  const Recording<float> it(1001, false, 7);
  const std::vector<float> want = grid(it.samples, rate_of(200), {});
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&it, &want] {
      for (int round = 0; round < 5; ++round) {
        CHECK(grid(it.samples, rate_of(200), {}) == want);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
}

}  // namespace

int main() {
  rates_and_times();
  uneven_times();
  faults();
  what_the_grid_depends_on();
  large_integers();
  extremes();
  threads();
  return bindrt::testing::finish();
}
