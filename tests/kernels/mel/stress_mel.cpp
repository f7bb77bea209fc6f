// The log-mel op on random clips.
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <memory>
#include <vector>

#include "kernels/mel/mel.h"
#include "kernels/mel/mel_clips.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using kernels::ClipRange;
using kernels::kMelBands;
using kernels::kMelHop;
using kernels::kMelWindow;
using kernels::mel_frames;
using kernels::MelClip;
using kernels::MelOutput;
using kernels::OutType;

void fill(Exact<float>& samples, Bytes& bytes, double size) {
  std::mt19937 random = bytes.random();
  std::uniform_real_distribution<double> numbers(-size, size);
  for (float& sample : samples) {
    sample = static_cast<float>(numbers(random));
  }
}

// Powers of a frame's frequencies below the highest, and what the largest of them is.
std::array<double, 256> powers(const MelClip& clip, std::int64_t frame, double& total) {
  std::array<double, kMelWindow> x{};
  double mean = 0;
  for (std::int64_t i = 0; i < kMelWindow; ++i) {
    const std::int64_t at = frame * kMelHop + i;
    double sample = static_cast<double>(clip.samples[at]);
    for (const kernels::MelStep& step : clip.steps) {
      sample -= at < step.at ? static_cast<double>(step.shift) : 0.0;
    }
    x[static_cast<std::size_t>(i)] = sample;
    mean += sample / kMelWindow;
  }
  std::array<double, kMelWindow> y{};
  for (std::size_t i = 0; i < kMelWindow; ++i) {
    const double before = x[i == 0 ? 0 : i - 1] - mean;
    const double window = 0.5 - 0.5 * std::cos(2 * M_PI * static_cast<double>(i) / (kMelWindow - 1));
    y[i] = (x[i] - mean - 0.97 * before) * window;
  }
  std::array<double, 256> power{};
  total = 0;
  for (std::size_t k = 0; k < power.size(); ++k) {
    std::complex<double> sum = 0;
    const std::complex<double> turn = std::polar(1.0, -2 * M_PI * static_cast<double>(k) / 512);
    std::complex<double> factor = 1;
    for (const double value : y) {
      sum += value * factor;
      factor *= turn;
    }
    power[k] = std::norm(sum);
    total += power[k];
  }
  return power;
}

double mel_of(double frequency) { return 1127 * std::log(1 + frequency / 700); }

double band_energy(const std::array<double, 256>& power, std::int32_t band) {
  const double low = mel_of(20);
  const double step = (mel_of(8000) - low) / (kMelBands + 1);
  double energy = 0;
  for (std::size_t k = 0; k < power.size(); ++k) {
    const double at = (mel_of(31.25 * static_cast<double>(k)) - low) / step - band;  // 0 to 2 inside
    energy += power[k] * std::max(0.0, std::min(at, 2 - at));
  }
  return energy;
}

// How long a clip is: now and then too short for a frame.
std::int64_t length(Bytes& bytes) {
  return bytes.chance(6) ? bytes.range(0, 400) : kMelWindow + bytes.small(0, 4000);
}

// Clips of random lengths and shifts, some of which share frames with an earlier one.
struct Clips {
  explicit Clips(Bytes& bytes)
      : columns(bytes.small(1, 300)), count(bytes.chance(20) ? 0 : bytes.small(1, 5)), loud(bytes.chance(8)) {
    const double size = loud ? std::ldexp(1.0, bytes.number(-130, 50)) : 1.0;
    for (std::int64_t c = 0; c < count; ++c) {
      auto& made = memory.emplace_back(std::make_unique<Exact<float>>(length(bytes), shift_of<float>(bytes)));
      fill(*made, bytes, size);
      MelClip clip;
      clip.samples = made->data();
      clip.count = made->size();
      for (kernels::MelStep& step : clip.steps) {
        if (bytes.chance(2)) {
          step = {bytes.range(0, clip.count + 500), static_cast<float>(bytes.real(-0.5, 0.5) * size)};
        }
      }
      if (c > 0 && bytes.chance(2)) {
        clip.source = bytes.range(0, c - 1);
        const std::int64_t there = frames(clips[static_cast<std::size_t>(clip.source)]);
        clip.source_frame = bytes.range(0, there);
        clip.shared = bytes.range(0, std::min(there - clip.source_frame, frames(clip)));
      }
      clips.push_back(clip);
    }
  }

  std::int64_t frames(const MelClip& clip) const { return std::min(mel_frames(clip.count), columns); }
  std::int64_t numbers() const { return count * kMelBands * columns; }

  std::int64_t columns;
  std::int64_t count;
  bool loud;
  std::vector<std::unique_ptr<Exact<float>>> memory;
  std::vector<MelClip> clips;
};

void check_frame(const Clips& it, const Out& out, Bytes& bytes) {
  const std::int64_t index = bytes.range(0, it.count - 1);
  const MelClip& clip = it.clips[static_cast<std::size_t>(index)];
  const std::int64_t frames = it.frames(clip);
  if (frames <= clip.shared) {
    return;
  }
  const std::int64_t frame = bytes.range(clip.shared, frames - 1);
  double total = 0;
  const std::array<double, 256> power = powers(clip, frame, total);
  for (std::int32_t band = 0; band < kMelBands; ++band) {
    const double energy = std::max(band_energy(power, band), 0x1p-23);
    const double got = static_cast<double>(out.number((index * kMelBands + band) * it.columns + frame));
    // Float32 leaves noise of that size in every band.
    CHECK_NEAR(got, (std::log(energy) + 4.268) / 9.138, 1e-5 + 1e-6 * total / energy);
  }
}

void check_padding(const Clips& it, const Out& out) {
  bool good = true;
  for (std::int64_t c = 0; c < it.count; ++c) {
    for (std::int64_t band = 0; band < kMelBands; ++band) {
      for (std::int64_t at = it.frames(it.clips[static_cast<std::size_t>(c)]); at < it.columns; ++at) {
        good = good && out.number((c * kMelBands + band) * it.columns + at) == 4.268F * (1.0F / 9.138F);
      }
    }
  }
  CHECK(good);
}

void spectra(Bytes& bytes) {
  const Clips it(bytes);
  Out out(OutType::kFloat32, it.numbers(), bytes);
  MelOutput output;
  output.columns = it.columns;
  output.out = out.data();
  bytes.level();
  kernels::log_mel(it.clips.data(), it.count, output, bytes.number(1, 4));
  CHECK(out.numbers.intact());
  check_padding(it, out);
  if (it.count > 0 && !it.loud && bytes.chance(6)) {
    check_frame(it, out, bytes);
  }

  Out baseline(OutType::kFloat32, it.numbers(), bytes);
  output.out = baseline.data();
  bytes.level();
  kernels::log_mel(it.clips.data(), it.count, output, 1);
  CHECK(baseline.same(out));

  Out halves(OutType::kFloat16, it.numbers(), bytes);
  output.out = halves.data();
  output.type = OutType::kFloat16;
  bytes.level();
  kernels::log_mel(it.clips.data(), it.count, output, bytes.number(1, 4));
  CHECK(halves.halves_of(out));
}

// The definition: each clip's mean is subtracted in place, then its spectrum taken, one clip after another.
std::vector<float> in_place(Exact<float>& samples, const std::vector<ClipRange>& ranges,
                            std::int64_t columns) {
  const std::int64_t size = kMelBands * columns;
  std::vector<float> all;
  for (const ClipRange& range : ranges) {
    double mean = 0;
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      mean += static_cast<double>(samples[i]) / static_cast<double>(range.end - range.begin);
    }
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      samples[i] -= static_cast<float>(mean);
    }
    const std::size_t at = all.size();
    all.resize(at + static_cast<std::size_t>(size));
    MelClip clip;
    clip.samples = samples.data() + range.begin;
    clip.count = range.end - range.begin;
    MelOutput output;
    output.out = all.data() + at;
    output.columns = columns;
    kernels::log_mel(&clip, 1, output, 1);
  }
  return all;
}

void overlapping_clips(Bytes& bytes) {
  Exact<float> samples(bytes.small(400, 9000), shift_of<float>(bytes));
  fill(samples, bytes, 1.0);
  std::vector<ClipRange> ranges(static_cast<std::size_t>(bytes.number(1, kernels::kMostClips)));
  std::int64_t begin = 0;
  std::int64_t end = 0;
  for (ClipRange& range : ranges) {
    begin = bytes.chance(4) ? begin : bytes.range(begin, samples.size());
    end = std::max(begin, bytes.chance(4) ? end : bytes.range(end, samples.size()));
    range.begin = begin;
    range.end = end;
    for (std::int64_t i = begin; i < end; ++i) {
      range.mean += static_cast<double>(samples[i]) / static_cast<double>(end - begin);
    }
  }
  const std::int64_t columns = bytes.small(1, 60);
  const auto count = static_cast<std::int64_t>(ranges.size());
  std::vector<MelClip> clips(ranges.size());
  kernels::plan_clips(ranges.data(), count, samples.data(), columns, clips.data());
  Out out(OutType::kFloat32, count * kMelBands * columns, bytes);
  MelOutput output;
  output.out = out.data();
  output.columns = columns;
  bytes.level();
  kernels::log_mel(clips.data(), count, output, bytes.number(1, 4));
  const std::vector<float> want = in_place(samples, ranges, columns);
  double worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double got = static_cast<double>(out.number(static_cast<std::int64_t>(i)));
    const double gap = std::fabs(got - static_cast<double>(want[i]));
    worst = gap <= worst ? worst : gap;
  }
  CHECK_NEAR(worst, 0, 5e-3);
}

}  // namespace

void one_case(Bytes& bytes) { bytes.chance(3) ? overlapping_clips(bytes) : spectra(bytes); }

}  // namespace bindrt::stress
