// The IMU op on the CPU.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "kernels/base/dispatch.h"
#include "kernels/base/half.h"
#include "kernels/imu/imu.h"

namespace bindrt::kernels {
namespace {

constexpr double kLastStep = (kImuSteps - 1) / kImuRate;

// Seconds since the first sample, of samples at a rate.
struct EvenTimes {
  double rate;
  double seconds(std::int64_t i) const { return static_cast<double>(i) / rate; }
};

// Seconds since the first sample, of listed times. The difference is taken before the conversion: large
// integers would lose their last digits.
template <class Number>
struct ListedTimes {
  const Number* times;
  double seconds(std::int64_t i) const {
    if constexpr (std::is_integral_v<Number>) {  // increasing, so that the difference fits
      return static_cast<double>(static_cast<std::uint64_t>(times[i]) - static_cast<std::uint64_t>(times[0]));
    } else {
      return static_cast<double>(times[i] - times[0]);
    }
  }
};

// Where a step of the grid lies: between samples `low` and `low + 1`, this share of the way.
struct StepPlaces {
  std::array<std::int64_t, kImuSteps> low;
  std::array<double, kImuSteps> share;
};

template <class Number>
BINDRT_INLINE std::int64_t count_not_finite(const Number* values, std::int64_t count, std::int64_t stride) {
  constexpr Number kMost = std::numeric_limits<Number>::max();
  std::int64_t bad = 0;
  if (stride == 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      bad += std::abs(values[i]) <= kMost ? 0 : 1;
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      bad += std::abs(values[i * stride]) <= kMost ? 0 : 1;
    }
  }
  return bad;
}

void check_list(const EvenTimes&, std::int64_t, ImuTimeReport&) {}

template <class Number>
BINDRT_INLINE void check_list(const ListedTimes<Number>& listed, std::int64_t count, ImuTimeReport& report) {
  const Number* const times = listed.times;
  if constexpr (std::is_floating_point_v<Number>) {
    report.not_finite = count_not_finite(times, count, 1);
    if (report.not_finite > 0) {
      return;
    }
  }
  std::int64_t back = 0;
  for (std::int64_t i = 1; i < count; ++i) {
    back += times[i] <= times[i - 1] ? 1 : 0;
  }
  for (std::int64_t i = 1; back > 0 && report.unordered < 0; ++i) {
    report.unordered = times[i] <= times[i - 1] ? i : -1;
  }
}

void find_gap(const EvenTimes& times, std::int64_t, double max_gap, ImuTimeReport& report) {
  if (1.0 / times.rate > max_gap + kImuGapTolerance) {
    report.gap = 0;
    report.gap_seconds = 1.0 / times.rate;
  }
}

template <class Number>
void find_gap(const ListedTimes<Number>& times, std::int64_t count, double max_gap, ImuTimeReport& report) {
  double here = 0.0;
  for (std::int64_t i = 0; i + 1 < count && here < kImuWindow; ++i) {
    const double next = times.seconds(i + 1);
    if (next - here > max_gap + kImuGapTolerance) {
      report.gap = i;
      report.gap_seconds = next - here;
      return;
    }
    here = next;
  }
}

// Up to the first sample that is not before the last step.
std::int64_t count_used(const EvenTimes& times, std::int64_t count) {
  const double guess = std::ceil(kLastStep * times.rate);
  auto end = guess < static_cast<double>(count) ? static_cast<std::int64_t>(guess) : count;
  while (end > 0 && times.seconds(end - 1) >= kLastStep) {
    --end;
  }
  while (end < count && times.seconds(end) < kLastStep) {
    ++end;
  }
  return std::min(end + 1, count);
}

template <class Number>
std::int64_t count_used(const ListedTimes<Number>& times, std::int64_t count) {
  std::int64_t low = 0;
  for (std::int64_t high = count; low < high;) {
    const std::int64_t middle = low + (high - low) / 2;
    if (times.seconds(middle) < kLastStep) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::min(low + 1, count);
}

BINDRT_INLINE void find_places(const EvenTimes& times, std::int64_t used, StepPlaces& places) {
  const double step = times.rate / kImuRate;  // in samples
  const auto last = static_cast<double>(used - 1);
  for (std::size_t i = 0; i < kImuSteps; ++i) {
    const double at = std::min(static_cast<double>(i) * step, last);
    const auto low = std::min(static_cast<std::int64_t>(at), used - 2);
    places.low[i] = low;
    places.share[i] = at - static_cast<double>(low);
  }
}

template <class Number>
BINDRT_INLINE void find_places(const ListedTimes<Number>& times, std::int64_t used, StepPlaces& places) {
  std::int64_t low = 0;
  double before = 0.0;
  double after = times.seconds(1);
  for (std::size_t i = 0; i < kImuSteps; ++i) {
    const double at = static_cast<double>(i) / kImuRate;
    while (after <= at && low + 2 < used) {
      ++low;
      before = after;
      after = times.seconds(low + 1);
    }
    places.low[i] = low;
    places.share[i] = at < after ? (at - before) / (after - before) : 1.0;
  }
}

template <class Number>
BINDRT_INLINE void interpolate(const ImuSamples& samples, const StepPlaces& places, const ImuOptions& options,
                               void* out) {
  std::array<float, kImuSteps> row;
  for (std::size_t channel = 0; channel < kImuChannels; ++channel) {
    const auto first = static_cast<std::int64_t>(channel) * samples.channel_stride;
    const Number* const values = static_cast<const Number*>(samples.data) + first;
    const double gain = options.gain[channel];
    const double offset = options.offset[channel];
    for (std::size_t i = 0; i < kImuSteps; ++i) {
      const Number* const value = values + places.low[i] * samples.sample_stride;
      const auto low = static_cast<double>(value[0]);
      const auto high = static_cast<double>(value[samples.sample_stride]);
      row[i] = static_cast<float>((low + (high - low) * places.share[i]) * gain + offset);
    }
    store_row(out, options.out_type, static_cast<std::int64_t>(channel) * kImuSteps, row.data(), kImuSteps);
  }
}

template <class Number>
void some_steps(const ImuSamples& samples, const StepPlaces& places, const ImuOptions& options, int every,
                float* out) {
  for (std::size_t channel = 0; channel < kImuChannels; ++channel) {
    const auto first = static_cast<std::int64_t>(channel) * samples.channel_stride;
    const Number* const values = static_cast<const Number*>(samples.data) + first;
    for (std::size_t i = 0; i < kImuSteps; i += static_cast<std::size_t>(every)) {
      const Number* const value = values + places.low[i] * samples.sample_stride;
      const auto low = static_cast<double>(value[0]);
      const auto high = static_cast<double>(value[samples.sample_stride]);
      *out++ = static_cast<float>((low + (high - low) * places.share[i]) * options.gain[channel] +
                                  options.offset[channel]);
    }
  }
}

template <class Number>
BINDRT_INLINE std::int64_t count_bad_samples(const ImuSamples& samples) {
  std::int64_t bad = 0;
  for (std::int64_t channel = 0; channel < kImuChannels; ++channel) {
    const Number* const values = static_cast<const Number*>(samples.data) + channel * samples.channel_stride;
    bad += count_not_finite(values, samples.count, samples.sample_stride);
  }
  return bad;
}

// Calls `use` with the times as what they are.
template <class Use>
BINDRT_INLINE void with_times(const ImuTimes& times, const Use& use) {
  switch (times.type) {
    case ImuTimes::Type::kRate:
      return use(EvenTimes{times.rate});
    case ImuTimes::Type::kFloat32:
      return use(ListedTimes<float>{static_cast<const float*>(times.data)});
    case ImuTimes::Type::kFloat64:
      return use(ListedTimes<double>{static_cast<const double*>(times.data)});
    case ImuTimes::Type::kInt64:
      return use(ListedTimes<std::int64_t>{static_cast<const std::int64_t*>(times.data)});
    case ImuTimes::Type::kUint64:
      return use(ListedTimes<std::uint64_t>{static_cast<const std::uint64_t*>(times.data)});
  }
}

struct CheckCall {
  const ImuTimes* times;
  std::int64_t count;
  double max_gap;
  ImuTimeReport report;
};

BINDRT_INLINE void run_check(CheckCall& call) {
  ImuTimeReport& report = call.report;
  with_times(*call.times, [&](const auto& times) __attribute__((always_inline)) {
    check_list(times, call.count, report);
    if (report.not_finite > 0 || report.unordered >= 0) {
      return;
    }
    report.last = times.seconds(call.count - 1);
    find_gap(times, call.count, call.max_gap, report);
    report.used = count_used(times, call.count);
  });
}

struct GridCall {
  const ImuSamples* samples;
  const ImuTimes* times;
  const ImuOptions* options;
  void* out;
  std::int64_t bad;
};

template <class Number>
BINDRT_INLINE void run_samples(GridCall& call) {
  call.bad = count_bad_samples<Number>(*call.samples);
  if (call.bad == 0) {
    StepPlaces places;
    with_times(*call.times, [&](const auto& times) __attribute__((always_inline)) {
      find_places(times, call.samples->count, places);
    });
    interpolate<Number>(*call.samples, places, *call.options, call.out);
  }
}

constexpr bool is_whole(ImuSamples::Type type) noexcept {
  return type != ImuSamples::Type::kFloat32 && type != ImuSamples::Type::kFloat64;
}

// Whole numbers, which are rare, are not compiled for each kind of processor.
void grid_of_whole(const GridCall& call) {
  StepPlaces places;
  with_times(*call.times, [&](const auto& times) { find_places(times, call.samples->count, places); });
  with_number(call.samples->type, [&](auto zero) {
    interpolate<decltype(zero)>(*call.samples, places, *call.options, call.out);
  });
}

BINDRT_INLINE void run_grid(GridCall& call) {
  call.samples->type == ImuSamples::Type::kFloat64 ? run_samples<double>(call) : run_samples<float>(call);
}

void check_baseline(CheckCall& call) { run_check(call); }
BINDRT_AVX2 void check_avx2(CheckCall& call) { run_check(call); }
BINDRT_AVX512 void check_avx512(CheckCall& call) { run_check(call); }

void grid_baseline(GridCall& call) { run_grid(call); }
BINDRT_AVX2 void grid_avx2(GridCall& call) { run_grid(call); }
BINDRT_AVX512 void grid_avx512(GridCall& call) { run_grid(call); }

}  // namespace

ImuTimeReport check_imu_times(const ImuTimes& times, std::int64_t count, double max_gap) noexcept {
  CheckCall call{&times, count, max_gap, {}};
  choose(&check_baseline, &check_avx2, &check_avx512)(call);
  return call.report;
}

void imu_seconds(const ImuTimes& times, std::int64_t count, double* out) noexcept {
  with_times(times, [&](const auto& listed) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = listed.seconds(i);
    }
  });
}

std::int64_t imu_grid(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options,
                      void* out) noexcept {
  GridCall call{&samples, &times, &options, out, 0};
  if (is_whole(samples.type)) {
    grid_of_whole(call);
    return 0;
  }
  choose(&grid_baseline, &grid_avx2, &grid_avx512)(call);
  return call.bad;
}

void imu_steps(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options, int every,
               float* out) noexcept {
  StepPlaces places;
  with_times(times, [&](const auto& given) { find_places(given, samples.count, places); });
  with_number(samples.type,
              [&](auto zero) { some_steps<decltype(zero)>(samples, places, options, every, out); });
}

}  // namespace bindrt::kernels
