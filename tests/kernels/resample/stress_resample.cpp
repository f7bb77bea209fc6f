// The resampling op on random rates and recordings.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/resample/audio_view.h"
#include "kernels/resample/resample.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using kernels::AudioView;
using kernels::kMeanOfChannels;
using kernels::ResampleRates;
using kernels::SampleType;

// Rates as recordings have them, small ones, and any. Those with many phases have large tables: fewer.
ResampleRates random_rates(Bytes& bytes) {
  constexpr ResampleRates kUsual[] = {{441, 160}, {1, 2}, {3, 1}, {2, 1}, {441, 320}, {1, 1}, {3, 2}, {4, 1}};
  if (bytes.chance(2)) {
    return bytes.one_of(kUsual);
  }
  const std::int64_t most = bytes.chance(40) ? 100000 : 40;
  const std::int64_t orig = bytes.range(1, most);
  const std::int64_t target = bytes.range(1, most);
  const std::int64_t common = std::gcd(orig, target);
  return {orig / common, target / common};
}

std::int64_t size_of(SampleType type) { return type == SampleType::kInt16 ? 2 : 4; }

// A recording of any layout, whose memory ends with its last sample.
struct Recording {
  explicit Recording(Bytes& bytes)
      : type(bytes.one_of({SampleType::kFloat32, SampleType::kInt16, SampleType::kInt32})),
        channels(bytes.chance(3) ? 1 : bytes.number(1, 6)),
        count(bytes.small(0, 4000)),
        layout(bytes, channels, count, size_of(type)),
        memory(count == 0 ? 0 : layout.bytes, shift_of<std::uint8_t>(bytes)) {
    std::mt19937 random = bytes.random();
    std::uniform_int_distribution<std::int32_t> numbers(std::numeric_limits<std::int32_t>::min());
    for (int channel = 0; channel < channels; ++channel) {
      for (std::int64_t i = 0; i < count; ++i) {
        put(channel, i, numbers(random));
      }
    }
    view = {memory.data() + (count == 0 ? 0 : layout.first),
            type,
            channels,
            bytes.chance(2) ? 0 : bytes.small(0, 1 << 20),
            count,
            layout.sample,
            layout.channel};
  }

  // How samples lie, in bytes: by channel or interleaved, with gaps, forwards or backwards, at any address.
  struct Layout {
    Layout(Bytes& random, int channels, std::int64_t count, std::int64_t size) {
      const bool planar = random.chance(2);
      const std::int64_t inner = size + (random.chance(3) ? random.range(0, 5) : 0);
      const std::int64_t outer =
          inner * (planar ? count : std::int64_t{channels}) + (random.chance(3) ? random.range(0, 9) : 0);
      sample = planar ? inner : outer;
      channel = planar ? outer : inner;
      bytes = (count - 1) * sample + (channels - 1) * channel + size;
      if (random.chance(4)) {
        first += (count - 1) * sample;
        sample = -sample;
      }
      if (random.chance(4)) {
        first += (channels - 1) * channel;
        channel = -channel;
      }
    }
    std::int64_t sample = 0;
    std::int64_t channel = 0;
    std::int64_t first = 0;
    std::int64_t bytes = 0;
  };

  void put(int channel, std::int64_t i, std::int32_t value) {
    std::uint8_t* const at = memory.data() + layout.first + i * layout.sample + channel * layout.channel;
    const auto narrow = static_cast<std::int16_t>(value >> 16);
    const float real = static_cast<float>(value) * 0x1p-31F;
    const void* const from = type == SampleType::kFloat32 ? static_cast<const void*>(&real)
                             : type == SampleType::kInt16 ? static_cast<const void*>(&narrow)
                                                          : &value;
    std::memcpy(at, from, static_cast<std::size_t>(size_of(type)));
  }

  // Sample i of the recording, zero outside the view.
  double at(int channel, std::int64_t i) const {
    if (i < view.begin || i >= view.begin + count) {
      return 0;
    }
    if (channel == kMeanOfChannels) {
      double sum = 0;
      for (int c = 0; c < channels; ++c) {
        sum += at(c, i);
      }
      return sum / channels;
    }
    const std::uint8_t* const from =
        memory.data() + layout.first + (i - view.begin) * layout.sample + channel * layout.channel;
    if (type == SampleType::kInt16) {
      std::int16_t value = 0;
      std::memcpy(&value, from, sizeof(value));
      return value / 32768.0;
    }
    if (type == SampleType::kInt32) {
      std::int32_t value = 0;
      std::memcpy(&value, from, sizeof(value));
      return value / 2147483648.0;
    }
    float value = 0;
    std::memcpy(&value, from, sizeof(value));
    return static_cast<double>(value);
  }

  SampleType type;
  int channels;
  std::int64_t count;
  Layout layout;
  Exact<std::uint8_t> memory;
  AudioView view;
};

double expected(const Recording& recording, int channel, const ResampleRates& rates, std::int64_t i) {
  if (rates.orig == rates.target) {
    return recording.at(channel, i);
  }
  const double base = 0.99 * static_cast<double>(std::min(rates.orig, rates.target));
  const auto orig = static_cast<double>(rates.orig);
  const std::int64_t half = kernels::resample_half(rates);
  const std::int64_t middle = i * rates.orig / rates.target;
  double sum = 0;
  for (std::int64_t k = middle - half; k <= middle + half; ++k) {
    // k/orig - i/target without the digits that both share.
    const std::int64_t apart = (k - middle) * rates.target - (i * rates.orig - middle * rates.target);
    const double t = static_cast<double>(apart) / orig / static_cast<double>(rates.target) * base;
    if (std::fabs(t) < 6) {
      const double angle = M_PI * t;
      const double window = std::cos(angle / 12);
      sum +=
          recording.at(channel, k) * base / orig * (t == 0 ? 1 : std::sin(angle) / angle) * window * window;
    }
  }
  return sum;
}

void check_some(const Recording& recording, int channel, const ResampleRates& rates, std::int64_t first,
                const Exact<float>& out, Bytes& bytes) {
  const double most = static_cast<double>(kernels::peak(recording.view));
  for (int look = 0; look < 2 && out.size() > 0; ++look) {
    const std::int64_t i = bytes.range(0, out.size() - 1);
    // Times rounded to float32 move taps by some 1e-7 of the distance in units of the rates.
    CHECK_NEAR(static_cast<double>(out[i]), expected(recording, channel, rates, first + i), 1e-4 * most);
  }
}

void check_peak(const Recording& recording) {
  double most = 0;
  for (int channel = 0; channel < recording.channels; ++channel) {
    for (std::int64_t i = 0; i < recording.count; ++i) {
      most = std::max(most, std::fabs(recording.at(channel, recording.view.begin + i)));
    }
  }
  CHECK(kernels::peak(recording.view) == static_cast<float>(most));
}

}  // namespace

void one_case(Bytes& bytes) {
  const ResampleRates rates = random_rates(bytes);
  CHECK(kernels::resamples(rates) == (kernels::resample_half(rates) <= kernels::kMaxResampleHalf));
  if (!kernels::resamples(rates)) {
    return;
  }
  const Recording recording(bytes);
  const int channel = bytes.number(kMeanOfChannels, recording.channels - 1);
  const std::int64_t there = (recording.view.begin + recording.count) * rates.target / rates.orig;
  const std::int64_t first = bytes.chance(20)
                                 ? bytes.range(0, std::int64_t{1} << 36)
                                 : bytes.small(std::max<std::int64_t>(there - 600, 0), there + 50);
  const std::int64_t wide = rates.orig / rates.target;
  const std::int64_t count = bytes.small(0, wide > 100 ? 3 : 600);
  bytes.level();
  check_peak(recording);
  Exact<float> out(count, shift_of<float>(bytes));
  CHECK(kernels::resample(rates, recording.view, channel, first, count, out.data(), bytes.number(1, 4)));
  CHECK(out.intact());
  if (std::max(rates.orig, rates.target) <= 500) {
    check_some(recording, channel, rates, first, out, bytes);
  }

  // Another level and a part of the range give the same bits.
  bytes.level();
  const std::int64_t from = bytes.range(0, count);
  Exact<float> part(bytes.range(0, count - from), shift_of<float>(bytes));
  CHECK(kernels::resample(rates, recording.view, channel, first + from, part.size(), part.data(), 1));
  CHECK(std::equal(part.begin(), part.end(), out.begin() + from));

  double sum = 0;
  CHECK(kernels::resample_sum(rates, recording.view, channel, first, count, &sum));
  const double want = std::accumulate(out.begin(), out.end(), 0.0);
  const double size = static_cast<double>(count) * static_cast<double>(kernels::peak(recording.view));
  CHECK_NEAR(sum, want, 2e-6 * size);
}

}  // namespace bindrt::stress
