// The log-mel op against its definition.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/base/simd.h"
#include "kernels/mel/mel.h"
#include "kernels/mel/mel_clips.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt::kernels;
using Floats = std::vector<float>;

constexpr CpuLevel kLevels[] = {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512};
const double kPi = std::acos(-1.0);

Floats noise(std::int64_t count, std::uint32_t seed, float size = 0.1F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> values(0.0F, size);
  Floats made(static_cast<std::size_t>(count));
  std::generate(made.begin(), made.end(), [&] { return values(random); });
  return made;
}

MelClip clip_of(const Floats& samples) {
  MelClip clip;
  clip.samples = samples.data();
  clip.count = static_cast<std::int64_t>(samples.size());
  return clip;
}

// Raw logarithms of clips, in memory that ends with the last number.
Floats run(const std::vector<MelClip>& clips, std::int64_t columns, int threads = 1) {
  Floats out(clips.size() * static_cast<std::size_t>(kMelBands * columns), -77.0F);
  log_mel(clips.data(), static_cast<std::int64_t>(clips.size()),
          {out.data(), OutType::kFloat32, columns, 0.0F, 1.0F}, threads);
  return out;
}

double to_mel(double hertz) { return 1127.0 * std::log(1.0 + hertz / 700.0); }

// Powers below the Nyquist frequency of one frame, term by term in double.
std::vector<double> powers(const std::vector<double>& samples) {
  double mean = 0.0;
  for (const double sample : samples) {
    mean += sample / kMelWindow;
  }
  std::vector<double> ready(kMelWindow);
  for (std::size_t i = 0; i < ready.size(); ++i) {
    const double before = samples[i == 0 ? 0 : i - 1] - mean;
    const double window = 0.5 - 0.5 * std::cos(2.0 * kPi * static_cast<double>(i) / (kMelWindow - 1));
    ready[i] = (samples[i] - mean - 0.97 * before) * window;
  }
  std::vector<double> out(256);
  for (std::size_t k = 0; k < out.size(); ++k) {
    double re = 0.0;
    double im = 0.0;
    for (std::size_t i = 0; i < ready.size(); ++i) {
      const double angle = 2.0 * kPi * static_cast<double>(k * i % 512) / 512.0;
      re += ready[i] * std::cos(angle);
      im -= ready[i] * std::sin(angle);
    }
    out[k] = re * re + im * im;
  }
  return out;
}

std::vector<double> reference(const std::vector<double>& samples) {
  const std::vector<double> power = powers(samples);
  const double low = to_mel(20.0);
  const double step = (to_mel(8000.0) - low) / (kMelBands + 1);
  std::vector<double> bands;
  for (int band = 0; band < kMelBands; ++band) {
    double energy = 0.0;
    for (std::size_t k = 0; k < power.size(); ++k) {
      const double at = (to_mel(31.25 * static_cast<double>(k)) - low) / step;
      energy += power[k] * std::max(0.0, std::min(at - band, band + 2 - at));
    }
    bands.push_back(std::log(std::max(energy, static_cast<double>(kMelFloor))));
  }
  return bands;
}

void against_the_definition() {
  for (const std::int64_t count : {400, 401, 559, 560, 3000, 4500}) {
    const Floats samples = noise(count, static_cast<std::uint32_t>(count));
    const std::int64_t frames = mel_frames(count);
    CHECK(frames == 1 + (count - 400) / 160);
    for (const CpuLevel level : kLevels) {
      limit_cpu_level(level);
      const Floats out = run({clip_of(samples)}, frames);
      for (std::int64_t frame = 0; frame < frames; ++frame) {
        const auto begin = samples.begin() + frame * kMelHop;
        const std::vector<double> want = reference({begin, begin + kMelWindow});
        for (std::int64_t band = 0; band < kMelBands; ++band) {
          const auto at = static_cast<std::size_t>(band * frames + frame);
          CHECK_NEAR(static_cast<double>(out[at]), want[static_cast<std::size_t>(band)], 2e-4);
        }
      }
    }
  }
}

// Clips of many lengths in one call, with less, as many and more columns than frames.
void levels_threads_and_types_give_the_same_bits() {
  std::mt19937 random(1);
  std::uniform_int_distribution<std::int64_t> lengths(0, 9000);
  for (int round = 0; round < 25; ++round) {
    std::vector<Floats> samples;
    std::vector<MelClip> clips;
    for (int i = 0; i < round % 5; ++i) {
      samples.push_back(noise(round % 7 == 0 ? lengths(random) % 401 : lengths(random),
                              static_cast<std::uint32_t>(round * 10 + i)));
    }
    std::transform(samples.begin(), samples.end(), std::back_inserter(clips), clip_of);
    const std::int64_t columns = std::uniform_int_distribution<std::int64_t>(0, 60)(random);
    limit_cpu_level(CpuLevel::kBaseline);
    const Floats want = run(clips, columns);
    std::vector<std::uint16_t> halves(want.size());
    std::transform(want.begin(), want.end(), halves.begin(), [](float value) { return to_half(value); });
    for (const CpuLevel level : kLevels) {
      limit_cpu_level(level);
      for (const int threads : {1, 3}) {
        CHECK(run(clips, columns, threads) == want);
        std::vector<std::uint16_t> out(want.size(), 0x7777);
        log_mel(clips.data(), static_cast<std::int64_t>(clips.size()),
                {out.data(), OutType::kFloat16, columns, 0.0F, 1.0F}, threads);
        CHECK(out == halves);
      }
    }
    for (std::size_t i = 0; i < clips.size(); ++i) {  // a clip does not depend on its neighbours
      const Floats alone = run({clips[i]}, columns);
      CHECK(std::equal(alone.begin(), alone.end(),
                       want.begin() + static_cast<std::ptrdiff_t>(i * alone.size())));
    }
  }
}

// Few frames go through shorter vectors; nothing is written beside them.
void frames_with_room_between_bands() {
  constexpr std::int64_t kStride = 41;
  for (std::int64_t count = 0; count <= 35; ++count) {
    const Floats samples = noise(count == 0 ? 399 : 240 + 160 * count, static_cast<std::uint32_t>(count));
    MelClip clip = clip_of(samples);
    clip.steps[0] = {500, 0.25F};
    limit_cpu_level(CpuLevel::kBaseline);
    const Floats want = run({clip}, count);
    for (const CpuLevel level : kLevels) {
      limit_cpu_level(level);
      Floats out(kMelBands * kStride, -77.0F);
      log_mel_frames(clip, {out.data() + 3, OutType::kFloat32, count, 0.0F, 1.0F}, kStride);
      bool equal = true;
      for (std::int64_t i = 0; i < kMelBands * kStride; ++i) {
        const std::int64_t band = i / kStride, frame = i % kStride - 3;
        const bool is_frame = 0 <= frame && frame < count;
        const float expected = is_frame ? want[static_cast<std::size_t>(band * count + frame)] : -77.0F;
        equal = equal && out[static_cast<std::size_t>(i)] == expected;
      }
      CHECK(equal);
    }
  }
}

void padding_is_a_logarithm_of_zero() {
  const Floats samples = noise(720, 2);
  Floats out(kMelBands * kMelFrames, -77.0F);
  MelOutput output;
  output.out = out.data();
  const MelClip clip = clip_of(samples);
  log_mel(&clip, 1, output, 1);
  const Floats raw = run({clip}, 3);
  for (std::size_t band = 0; band < kMelBands; ++band) {
    for (std::size_t column = 0; column < kMelFrames; ++column) {
      const float value = column < 3 ? raw[band * 3 + column] : 0.0F;
      CHECK(out[band * kMelFrames + column] == (value + 4.268F) * (1.0F / 9.138F));
    }
  }
}

// What the original does: subtract in place, then compute each clip.
void clips_that_overlap() {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t total = std::uniform_int_distribution<std::int64_t>(400, 9000)(random);
    const Floats samples = noise(total, static_cast<std::uint32_t>(round), 0.2F);
    const std::int64_t length = std::uniform_int_distribution<std::int64_t>(1, total)(random);
    const std::int64_t count = round % 3 + 1;
    const std::int64_t apart = (total - length) / (round % 2 == 0 ? 320 : 2);
    std::vector<ClipRange> ranges;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t begin = round % 2 == 0 ? i * apart * 160 : i * apart;
      ranges.push_back({begin, begin + length, 0.0});
    }
    Floats changed = samples;
    std::vector<Floats> cut;
    for (ClipRange& range : ranges) {
      double before = 0.0;
      double mean = 0.0;
      for (std::int64_t i = range.begin; i < range.end; ++i) {
        before +=
            static_cast<double>(samples[static_cast<std::size_t>(i)] + 0.5F) / static_cast<double>(length);
        mean +=
            static_cast<double>(changed[static_cast<std::size_t>(i)] + 0.5F) / static_cast<double>(length);
      }
      range.mean = before;  // of all channels, which are 0.5 above the first
      for (std::int64_t i = range.begin; i < range.end; ++i) {
        changed[static_cast<std::size_t>(i)] -= static_cast<float>(mean);
      }
      cut.emplace_back(changed.begin() + range.begin, changed.begin() + range.end);
    }
    std::vector<MelClip> plain;
    std::transform(cut.begin(), cut.end(), std::back_inserter(plain), clip_of);
    const std::int64_t columns = round % 5 == 0 ? 7 : mel_frames(length) + 2;
    std::vector<MelClip> planned(static_cast<std::size_t>(count));
    plan_clips(ranges.data(), count, samples.data(), columns, planned.data());
    const Floats want = run(plain, columns);
    const Floats got = run(planned, columns, 2);
    std::vector<double> errors;
    for (std::size_t i = 0; i < want.size(); ++i) {
      errors.push_back(std::fabs(static_cast<double>(got[i]) - static_cast<double>(want[i])));
    }
    std::sort(errors.begin(), errors.end());
    if (!errors.empty()) {
      CHECK(errors.back() <= 1e-2);
      CHECK(errors[errors.size() * 99 / 100] <= 1e-3);
    }
  }
}

void what_is_shared() {
  const Floats samples = noise(80000, 4);
  const std::vector<ClipRange> five_seconds{{0, 32000, 0}, {24000, 56000, 0}, {48000, 80000, 0}};
  MelClip clips[3];
  plan_clips(five_seconds.data(), 3, samples.data(), kMelFrames, clips);
  CHECK(clips[0].shared == 0 && clips[1].shared == 48 && clips[2].shared == 48);
  CHECK(clips[1].source == 0 && clips[1].source_frame == 150 && clips[2].source == 1);
  const std::vector<ClipRange> equal{{0, 20000, 0.1}, {0, 20000, 0.1}, {0, 20000, 0.1}};
  plan_clips(equal.data(), 3, samples.data(), kMelFrames, clips);
  CHECK(clips[1].shared == mel_frames(20000) && clips[2].shared == mel_frames(20000));
  CHECK(!needs_mean(equal.data(), 3, 0) && !needs_mean(equal.data(), 3, 1));
  CHECK(needs_mean(five_seconds.data(), 3, 0) && !needs_mean(five_seconds.data(), 3, 2));
}

template <int N>
void halves_of_lanes(const Floats& values) {
  for (std::size_t at = 0; at + N <= values.size(); at += N) {
    const auto half = simd::halves<N>(simd::load<simd::Float<N>>(values.data() + at));
    for (std::size_t lane = 0; lane < N; ++lane) {
      CHECK(half[static_cast<int>(lane)] == to_half(values[at + lane]));
    }
  }
}

void logarithms_and_halves() {
  std::mt19937 random(5);
  std::uniform_int_distribution<std::uint32_t> normal(0x00800000U, 0x7F7FFFFFU);
  double worst = 0.0;
  for (int i = 0; i < 300000; ++i) {
    const float x = i % 2 == 0 ? bits_float(normal(random)) : 1.0F + static_cast<float>(i - 150000) * 3e-6F;
    const double want = std::log(static_cast<double>(x));
    const double unit = std::ldexp(1.0, std::max(std::ilogb(want), -126) - 23);
    const float got = logarithm(x);
    worst = std::max(worst, std::fabs(static_cast<double>(got) - want) / unit);
    if (i % 50 == 0) {
      CHECK(simd::logarithm<4>(simd::broadcast<4>(x))[3] == got);
    }
  }
  CHECK(worst < 1.5);
  Floats values;
  std::uniform_int_distribution<std::uint32_t> any;
  for (int i = 0; i < 4096; ++i) {
    values.push_back(bits_float(any(random)));
    values.push_back(bits_float(0x33000000U + any(random) % 0x15000000U));  // around what fits
  }
  halves_of_lanes<4>(values);
}

void many_threads() {
  const Floats samples = noise(8000, 6);
  const std::vector<MelClip> clips(3, clip_of(samples));
  const Floats want = run(clips, 50);
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&clips, &want] {
      for (int round = 0; round < 10; ++round) {
        CHECK(run(clips, 50, 2) == want);
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
  levels_threads_and_types_give_the_same_bits();
  frames_with_room_between_bands();
  padding_is_a_logarithm_of_zero();
  clips_that_overlap();
  what_is_shared();
  logarithms_and_halves();
  many_threads();
  return bindrt::testing::finish();
}
