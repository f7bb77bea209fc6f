// The resampling op against its definition.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/resample/audio_view.h"
#include "kernels/resample/resample.h"
#include "kernels/resample/resample_filter.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt::kernels;
using Floats = std::vector<float>;

constexpr CpuLevel kLevels[] = {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512};

Floats noise(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> values(-1.0F, 1.0F);
  Floats made(count);
  std::generate(made.begin(), made.end(), [&] { return values(random); });
  return made;
}

AudioView view_of(const Floats& samples, std::int64_t begin = 0) {
  AudioView view;
  view.samples = samples.data();
  view.begin = begin;
  view.count = static_cast<std::int64_t>(samples.size());
  return view;
}

// Allocated to the last byte, so that the address sanitizer sees a step too far.
Floats run(const ResampleRates& rates, const AudioView& view, std::int32_t channel, std::int64_t first,
           std::int64_t count, int threads = 1) {
  Floats out(static_cast<std::size_t>(count), -7.0F);
  CHECK(resample(rates, view, channel, first, count, out.data(), threads));
  return out;
}

// The definition, term by term in double.
double reference(const ResampleRates& rates, const Floats& samples, std::int64_t begin, std::int64_t i) {
  if (rates.orig == rates.target) {
    const std::int64_t at = i - begin;
    const bool inside = at >= 0 && at < static_cast<std::int64_t>(samples.size());
    return inside ? static_cast<double>(samples[static_cast<std::size_t>(at)]) : 0.0;
  }
  const double base = 0.99 * static_cast<double>(std::min(rates.orig, rates.target));
  const auto half = static_cast<std::int64_t>(std::ceil(6.0 * static_cast<double>(rates.orig) / base));
  const std::int64_t phase = i % rates.target;
  const std::int64_t near = phase * rates.orig / rates.target;
  const float behind = static_cast<float>(-phase) / static_cast<float>(rates.target);
  const double pi = std::acos(-1.0);
  double sum = 0.0;
  for (std::int64_t k = near - half; k <= near + half; ++k) {
    const std::int64_t at = i / rates.target * rates.orig + k - begin;
    const float place = static_cast<float>(k) / static_cast<float>(rates.orig);
    const auto t = static_cast<double>((behind + place) * static_cast<float>(base));
    if (at >= 0 && at < static_cast<std::int64_t>(samples.size()) && std::fabs(t) < 6.0) {
      const double sinc = t == 0.0 ? 1.0 : std::sin(pi * t) / (pi * t);
      const double window = std::cos(pi * t / 12.0);
      sum += static_cast<double>(samples[static_cast<std::size_t>(at)]) * sinc * window * window;
    }
  }
  return sum * base / static_cast<double>(rates.orig);
}

ResampleRates random_rates(std::mt19937& random) {
  constexpr std::int64_t kCommon[] = {8000, 11025, 16000, 22050, 22051, 32000, 44100, 48000, 96000, 7};
  std::uniform_int_distribution<int> kind(0, 3);
  std::uniform_int_distribution<std::size_t> common(0, std::size(kCommon) - 1);
  std::uniform_int_distribution<std::int64_t> any(1, 5000);
  const bool usual = kind(random) > 0;
  const std::int64_t orig = usual ? kCommon[common(random)] : any(random);
  const std::int64_t target = usual ? 16000 : any(random);
  const std::int64_t divisor = std::gcd(orig, target);
  return {orig / divisor, target / divisor};
}

void against_the_definition() {
  std::mt19937 random(1);
  for (int round = 0; round < 150; ++round) {
    const ResampleRates rates = random_rates(random);
    std::uniform_int_distribution<std::size_t> sizes(0, round % 3 == 0 ? 3 : 400);
    const Floats samples = noise(sizes(random), static_cast<std::uint32_t>(round));
    const std::int64_t begin = std::uniform_int_distribution<std::int64_t>(0, 1000)(random);
    const std::int64_t middle = (begin + 100) * rates.target / rates.orig;
    const std::int64_t first = std::max<std::int64_t>(middle - round % 40, 0);
    const std::int64_t count = round % 37;
    for (const CpuLevel level : kLevels) {
      limit_cpu_level(level);
      const Floats out = run(rates, view_of(samples, begin), 0, first, count);
      for (std::int64_t i = 0; i < count; ++i) {
        CHECK_NEAR(static_cast<double>(out[static_cast<std::size_t>(i)]),
                   reference(rates, samples, begin, first + i), 1e-6);
      }
    }
  }
  limit_cpu_level(CpuLevel::kAvx512);
}

void levels_threads_and_parts_give_the_same_bits() {
  std::mt19937 random(2);
  for (int round = 0; round < 40; ++round) {
    const ResampleRates rates = random_rates(random);
    const Floats samples = noise(20000, static_cast<std::uint32_t>(round));
    const AudioView view = view_of(samples);
    const std::int64_t count = std::min<std::int64_t>(20000 * rates.target / rates.orig, 9000);
    limit_cpu_level(CpuLevel::kBaseline);
    const Floats want = run(rates, view, 0, 0, count);
    for (const CpuLevel level : kLevels) {
      limit_cpu_level(level);
      CHECK(run(rates, view, 0, 0, count) == want);
      CHECK(run(rates, view, 0, 0, count, 3) == want);
      const std::int64_t first = std::uniform_int_distribution<std::int64_t>(0, count)(random);
      const Floats part = run(rates, view, 0, first, count - first);
      CHECK(std::equal(part.begin(), part.end(), want.begin() + first));
    }
  }
}

// Interleaved 16-bit samples at odd addresses, in memory that ends with the last of them.
void layouts() {
  for (const std::int32_t channels : {1, 2, 3}) {
    for (const std::int64_t count : {0, 1, 2, 31, 500}) {
      const auto values = static_cast<std::size_t>(channels * count);
      std::vector<std::int16_t> integers(values);
      std::iota(integers.begin(), integers.end(), std::int16_t{-700});
      std::vector<char> bytes(values * sizeof(std::int16_t) + 1);
      if (values > 0) {
        std::memcpy(bytes.data() + 1, integers.data(), values * sizeof(std::int16_t));
      }
      AudioView view;
      view.samples = bytes.data() + 1;
      view.type = SampleType::kInt16;
      view.channels = channels;
      view.count = count;
      view.channel_stride = sizeof(std::int16_t);
      view.sample_stride = channels * view.channel_stride;
      for (std::int32_t channel = kMeanOfChannels; channel < channels; ++channel) {
        Floats plain(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < plain.size(); ++i) {
          double sum = 0.0;
          for (std::int32_t c = 0; c < channels; ++c) {
            const auto at = i * static_cast<std::size_t>(channels) + static_cast<std::size_t>(c);
            sum += channel == kMeanOfChannels || channel == c ? integers[at] / 32768.0 : 0.0;
          }
          plain[i] = static_cast<float>(channel == kMeanOfChannels ? sum / channels : sum);
        }
        for (const CpuLevel level : kLevels) {
          limit_cpu_level(level);
          CHECK(run({441, 160}, view, channel, 0, 300) == run({441, 160}, view_of(plain), 0, 0, 300));
          CHECK(run({1, 1}, view, channel, 0, count) == plain);
        }
      }
    }
  }
}

void sums() {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    const ResampleRates rates = random_rates(random);
    const Floats samples = noise(6000, static_cast<std::uint32_t>(round));
    const AudioView view = view_of(samples, round);
    const std::int64_t all = std::min<std::int64_t>(6000 * rates.target / rates.orig, 40000);
    std::uniform_int_distribution<std::int64_t> places(0, all);
    const std::int64_t first = places(random);
    const std::int64_t count = places(random);
    const Floats out = run(rates, view, 0, first, count);
    double want = 0.0;
    double size = 0.0;
    for (const float value : out) {
      want += static_cast<double>(value);
      size += std::fabs(static_cast<double>(value));
    }
    for (const CpuLevel level : kLevels) {
      limit_cpu_level(level);
      double got = std::numeric_limits<double>::quiet_NaN();
      CHECK(resample_sum(rates, view, 0, first, count, &got));
      CHECK_NEAR(got, want, 1e-6 * size + 1e-6);
    }
  }
}

void rates_at_the_edge() {
  CHECK(resamples({1, 1}) && resamples({kMaxRate, (1 << 30) - 1}) && resamples({1, kMaxRate}));
  CHECK(!resamples({kMaxRate, kMaxRate - 1}));  // positions would not fit 64 bits
  CHECK(!resamples({2, 4}) && !resamples({kMaxRate, 1}) && !resamples({0, 1}) && !resamples({1, 0}));
  CHECK(!resamples({kMaxRate + 1, 1}) && !resamples({-3, 2}));
  // A table for all of these would be too large: taps are computed for the outputs asked for.
  const Floats samples = noise(50, 4);
  for (const ResampleRates rates :
       {ResampleRates{1000003, 16000}, ResampleRates{4000000007, 16000}, ResampleRates{1, kMaxRate},
        ResampleRates{kMaxRate, (1 << 30) - 1}, ResampleRates{43000, 1}}) {
    const std::int64_t first = 30 * rates.target / rates.orig;
    const Floats out = run(rates, view_of(samples), 0, first, 6);
    for (std::int64_t i = 0; i < 6; ++i) {
      CHECK_NEAR(static_cast<double>(out[static_cast<std::size_t>(i)]),
                 reference(rates, samples, 0, first + i), 1e-6);
    }
  }
  CHECK(resample_filter({1000003, 16000})->table == nullptr);
  CHECK(resample_filter({441, 160}) == resample_filter({441, 160}));
}

void peaks() {
  for (const std::size_t count : {0U, 1U, 31U, 33U, 2047U, 2048U, 5000U}) {
    Floats samples = noise(count, 5);
    float want = 0.0F;
    for (const float value : samples) {
      want = std::max(want, std::fabs(value));
    }
    for (const CpuLevel level : kLevels) {
      limit_cpu_level(level);
      CHECK(peak(view_of(samples)) == want);
    }
    if (count > 0) {
      samples[count / 2] = -std::numeric_limits<float>::infinity();
      CHECK(std::isinf(peak(view_of(samples))));
      samples[count - 1] = std::numeric_limits<float>::quiet_NaN();
      CHECK(std::isnan(peak(view_of(samples))));
    }
  }
}

void many_threads() {
  const Floats samples = noise(9000, 6);
  std::vector<Floats> want;
  for (std::int64_t target = 1; target <= 24; ++target) {
    want.push_back(run({25, target % 5 == 0 ? 1 : target}, view_of(samples), 0, 0, 200));
  }
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 6; ++worker) {
    workers.emplace_back([&samples, &want, worker] {
      for (std::int64_t i = 0; i < 48; ++i) {
        const std::int64_t target = (i * 7 + worker) % 24 + 1;  // more filters than are kept
        const Floats got = run({25, target % 5 == 0 ? 1 : target}, view_of(samples), 0, 0, 200, 2);
        CHECK(got == want[static_cast<std::size_t>(target - 1)]);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
}

}  // namespace

int main() {
  against_the_definition();
  levels_threads_and_parts_give_the_same_bits();
  layouts();
  sums();
  rates_at_the_edge();
  peaks();
  many_threads();
  return bindrt::testing::finish();
}
