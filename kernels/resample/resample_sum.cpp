// The sum of resampled outputs, without computing each of them where the taps repeat.
#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/base/dispatch.h"
#include "kernels/base/scratch.h"
#include "kernels/base/simd.h"
#include "kernels/resample/audio_view.h"
#include "kernels/resample/resample_filter.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kWindow = std::int64_t{1} << 13;  // inputs held at once, or one period's

template <int N>
BINDRT_INLINE float dot(const float* a, const float* b, std::int64_t count) noexcept {
  using V = simd::Float<N>;
  V sums[16 / N] = {};
  std::int64_t at = 0;
  for (; at + 16 <= count; at += 16) {
    for (int part = 0; part < 16 / N; ++part) {
      sums[part] += simd::load<V>(a + at + part * N) * simd::load<V>(b + at + part * N);
    }
  }
  float total = 0.0F;
  for (const V& sum : sums) {
    for (int lane = 0; lane < N; ++lane) {
      total += sum[lane];
    }
  }
  for (; at < count; ++at) {
    total += a[at] * b[at];
  }
  return total;
}

struct Periods {
  const ResampleFilter* filter;
  const AudioView* view;
  std::int32_t channel;
};

// The sum of the outputs of periods [begin, end); false if there is no memory.
template <int N>
BINDRT_INLINE bool sum_periods(const Periods& job, std::int64_t begin, std::int64_t end,
                               double& sum) noexcept {
  thread_local Scratch<float> scratch;
  const ResampleFilter& filter = *job.filter;
  const std::int64_t inputs = filter.period_inputs();
  const std::int64_t at_once = std::max<std::int64_t>(kWindow / inputs, 1);
  for (std::int64_t period = begin; period < end; period += at_once) {
    const std::int64_t some = std::min(at_once, end - period);
    const std::int64_t count = (some - 1) * inputs + filter.columns;
    float* const window = scratch.get(static_cast<std::size_t>(count));
    if (window == nullptr) {
      return false;
    }
    load_samples(*job.view, job.channel, period * inputs - filter.half, count, window);
    for (std::int64_t i = 0; i < some; ++i) {
      sum += static_cast<double>(dot<N>(window + i * inputs, filter.column, filter.columns));
    }
  }
  scratch.trim();
  return true;
}

using Run = bool (*)(const Periods&, std::int64_t, std::int64_t, double&) noexcept;
bool run_baseline(const Periods& job, std::int64_t begin, std::int64_t end, double& sum) noexcept {
  return sum_periods<4>(job, begin, end, sum);
}
BINDRT_AVX2 bool run_avx2(const Periods& job, std::int64_t begin, std::int64_t end, double& sum) noexcept {
  return sum_periods<8>(job, begin, end, sum);
}
BINDRT_AVX512 bool run_avx512(const Periods& job, std::int64_t begin, std::int64_t end,
                              double& sum) noexcept {
  return sum_periods<16>(job, begin, end, sum);
}

// Adds up outputs [begin, end) themselves.
bool sum_outputs(const ResampleRates& rates, const AudioView& view, std::int32_t channel, std::int64_t begin,
                 std::int64_t end, double& sum) noexcept {
  std::array<float, 1024> piece;
  for (std::int64_t at = begin; at < end; at += 1024) {
    const std::int64_t count = std::min<std::int64_t>(end - at, 1024);
    if (!resample(rates, view, channel, at, count, piece.data(), 1)) {
      return false;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      sum += static_cast<double>(piece[static_cast<std::size_t>(i)]);
    }
  }
  return true;
}

}  // namespace

bool resample_sum(const ResampleRates& rates, const AudioView& view, std::int32_t channel, std::int64_t first,
                  std::int64_t count, double* sum) noexcept {
  *sum = 0.0;
  std::int64_t low = first + count;  // where whole periods begin and, below, end
  std::int64_t high = low;
  std::shared_ptr<const ResampleFilter> filter;
  if (rates.orig != rates.target) {
    filter = resample_filter(rates);
    if (filter == nullptr) {
      return false;
    }
    const std::int64_t period = filter->period();
    if (filter->table != nullptr && first / period + 1 < (first + count) / period) {
      low = (first + period - 1) / period * period;
      high = (first + count) / period * period;
    }
  }
  if (low < high) {
    const Periods job{filter.get(), &view, channel};
    const std::int64_t period = filter->period();
    if (!choose<Run>(&run_baseline, &run_avx2, &run_avx512)(job, low / period, high / period, *sum)) {
      return false;
    }
  }
  return sum_outputs(rates, view, channel, first, low, *sum) &&
         sum_outputs(rates, view, channel, high, first + count, *sum);
}

}  // namespace bindrt::kernels
