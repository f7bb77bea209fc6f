// The IMU op on random samples and times.
#include <cmath>
#include <vector>

#include "kernels/imu/imu.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using kernels::ImuOptions;
using kernels::ImuSamples;
using kernels::ImuTimeReport;
using kernels::ImuTimes;
using kernels::kImuChannels;
using kernels::kImuRate;
using kernels::kImuSteps;
using kernels::OutType;

constexpr std::int64_t kNumbers = std::int64_t{kImuChannels} * kImuSteps;

// How samples lie in memory, and where the first of channel 0 is.
struct Layout {
  Layout(Bytes& bytes, std::int64_t count) {
    const bool interleaved = bytes.chance(2);
    const std::int64_t inner = bytes.range(1, 3);
    const std::int64_t outer = inner * (interleaved ? kImuChannels : count) + bytes.range(0, 3);
    channel = interleaved ? inner : outer;
    sample = interleaved ? outer : inner;
    numbers = (kImuChannels - 1) * channel + (count - 1) * sample + 1;
    if (bytes.chance(3)) {
      first += (kImuChannels - 1) * channel;
      channel = -channel;
    }
    if (bytes.chance(3)) {
      first += (count - 1) * sample;
      sample = -sample;
    }
  }

  std::int64_t channel;
  std::int64_t sample;
  std::int64_t first = 0;
  std::int64_t numbers;
};

template <class Number>
struct Times {
  Times(std::int64_t count, Bytes& bytes, bool whole) : values(count, shift_of<Number>(bytes)) {
    std::mt19937 random = bytes.random();
    const double step = whole ? static_cast<double>(bytes.small(1, 1000000)) : bytes.real(1e-4, 0.3);
    std::uniform_real_distribution<double> steps(step * 0.5, step * 1.5);
    double time = bytes.chance(2) ? 0.0 : bytes.real(0, 2e9);
    for (Number& value : values) {
      value = static_cast<Number>(time);
      time += steps(random);
    }
    if (bytes.chance(4)) {  // a fault, or a long gap
      const std::int64_t at = bytes.range(0, count - 1);
      const double faults[] = {std::numeric_limits<double>::quiet_NaN(), 1e300, -1e300, 0.0, 1e10};
      const double fault = bytes.one_of(faults);
      if (!whole) {
        values[at] = std::fabs(fault) > 3e38 && sizeof(Number) == 4 ? std::numeric_limits<Number>::infinity()
                                                                    : static_cast<Number>(fault);
      } else {
        values[at] =
            bytes.chance(2) ? std::numeric_limits<Number>::max() : std::numeric_limits<Number>::min();
      }
    }
  }

  Exact<Number> values;
};

template <class Number>
void fill(Exact<Number>& values, Bytes& bytes) {
  std::mt19937 random = bytes.random();
  std::uniform_real_distribution<double> numbers(-30, 30);
  for (Number& value : values) {
    value = static_cast<Number>(numbers(random));
  }
}

// What the grid is at a step, for times that are increasing.
double expected(const ImuSamples& samples, const std::vector<double>& seconds, const ImuOptions& options,
                int channel, int step) {
  const auto value = [&](std::int64_t i) {
    const std::int64_t at = channel * samples.channel_stride + i * samples.sample_stride;
    return samples.type == ImuSamples::Type::kFloat32
               ? static_cast<double>(static_cast<const float*>(samples.data)[at])
               : static_cast<const double*>(samples.data)[at];
  };
  const double at = step / kImuRate;
  double result = value(samples.count - 1);
  for (std::int64_t i = 0; i + 1 < samples.count; ++i) {
    const double begin = seconds[static_cast<std::size_t>(i)];
    const double end = seconds[static_cast<std::size_t>(i + 1)];
    if (at >= begin && at < end) {
      result = value(i) + (value(i + 1) - value(i)) * ((at - begin) / (end - begin));
    }
  }
  const auto c = static_cast<std::size_t>(channel);
  return result * options.gain[c] + options.offset[c];
}

template <class Number>
void grids(const ImuTimes& times, const std::vector<double>& seconds, std::int64_t used, Bytes& bytes) {
  const Layout layout(bytes, used);
  Exact<Number> values(layout.numbers, shift_of<Number>(bytes));
  fill(values, bytes);
  ImuOptions options;
  for (std::size_t c = 0; c < kImuChannels; ++c) {
    options.gain[c] = bytes.chance(2) ? 1.0 : bytes.real(-10, 10);
    options.offset[c] = bytes.chance(2) ? 0.0 : bytes.real(-10, 10);
  }
  const auto type = sizeof(Number) == 4 ? ImuSamples::Type::kFloat32 : ImuSamples::Type::kFloat64;
  const ImuSamples samples{values.data() + layout.first, type, used, layout.channel, layout.sample};

  Out out(OutType::kFloat32, kNumbers, bytes);
  CHECK(kernels::imu_grid(samples, times, options, out.data()) == 0);
  for (int look = 0; look < 2; ++look) {
    const int channel = bytes.number(0, kImuChannels - 1);
    const int step = bytes.number(0, kImuSteps - 1);
    const double want = expected(samples, seconds, options, channel, step);
    CHECK_NEAR(static_cast<double>(out.number(channel * kImuSteps + step)), want,
               2e-6 * (300 + std::fabs(want)));
  }
  CHECK(out.numbers.intact());

  options.out_type = OutType::kFloat16;
  Out halves(OutType::kFloat16, kNumbers, bytes);
  CHECK(kernels::imu_grid(samples, times, options, halves.data()) == 0);
  CHECK(halves.halves_of(out));

  options.out_type = OutType::kFloat32;
  Out baseline(OutType::kFloat32, kNumbers, bytes);
  kernels::limit_cpu_level(kernels::CpuLevel::kBaseline);
  CHECK(kernels::imu_grid(samples, times, options, baseline.data()) == 0);
  CHECK(baseline.same(out));

  bytes.level();
  const std::int64_t channel = bytes.range(0, kImuChannels - 1) * layout.channel;
  values[layout.first + channel + bytes.range(0, used - 1) * layout.sample] =
      std::numeric_limits<Number>::quiet_NaN();
  CHECK(kernels::imu_grid(samples, times, options, baseline.data()) == 1);
}

// Checks the times as whole list; if they are without fault, makes the grid from those that are needed.
void check(const ImuTimes& times, const std::vector<double>& seconds, std::int64_t count, Bytes& bytes) {
  bytes.level();
  const double max_gap = bytes.real(0.001, 1.0);
  const ImuTimeReport report = kernels::check_imu_times(times, count, max_gap);
  if (report.not_finite > 0 || report.unordered >= 0) {
    CHECK(report.not_finite <= count && report.unordered < count);
    return;
  }
  CHECK(report.used >= 2 && report.used <= count);
  CHECK(report.gap >= -1 && report.gap < count);
  CHECK(report.last == seconds.back());
  bytes.chance(2) ? grids<float>(times, seconds, report.used, bytes)
                  : grids<double>(times, seconds, report.used, bytes);
}

template <class Number>
void listed(ImuTimes::Type type, std::int64_t count, Bytes& bytes) {
  Times<Number> times(count, bytes, std::numeric_limits<Number>::is_integer);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < count; ++i) {
    if constexpr (std::numeric_limits<Number>::is_integer) {  // the difference of any two fits unsigned
      const auto apart =
          static_cast<std::uint64_t>(times.values[i]) - static_cast<std::uint64_t>(times.values[0]);
      seconds.push_back(static_cast<double>(apart));
    } else {
      seconds.push_back(static_cast<double>(times.values[i] - times.values[0]));
    }
  }
  check({type, 0.0, times.values.data()}, seconds, count, bytes);
}

}  // namespace

void one_case(Bytes& bytes) {
  const std::int64_t count = bytes.small(2, 2600);
  switch (bytes.number(0, 4)) {
    case 0:
      return listed<float>(ImuTimes::Type::kFloat32, count, bytes);
    case 1:
      return listed<double>(ImuTimes::Type::kFloat64, count, bytes);
    case 2:
      return listed<std::int64_t>(ImuTimes::Type::kInt64, count, bytes);
    case 3:
      return listed<std::uint64_t>(ImuTimes::Type::kUint64, count, bytes);
    default:
      break;
  }
  const double rate = bytes.chance(8) ? std::ldexp(1.0, bytes.number(-300, 300)) : bytes.real(0.1, 2000);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < count; ++i) {
    seconds.push_back(static_cast<double>(i) / rate);
  }
  check({ImuTimes::Type::kRate, rate, nullptr}, seconds, count, bytes);
}

}  // namespace bindrt::stress
