// Reads what the clips need of a recording, resamples it, and makes the spectra.
#include "csrc/prepare/spectra.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "csrc/prepare/audio_numbers.h"
#include "csrc/prepare/clips.h"
#include "csrc/prepare/sound_clips.h"
#include "kernels/mel/mel.h"
#include "kernels/mel/mel_clips.h"
#include "kernels/resample/audio_view.h"
#include "kernels/resample/resample.h"

namespace bindrt::prepare {
namespace {

using audio::Range;
using kernels::AudioView;

constexpr auto kWholeSamples = static_cast<std::int64_t>(kWholeSeconds * kernels::kMelRate);
static_assert(kAudioClips <= kernels::kMostClips);

bool is_sound(const AudioView& block) noexcept {
  return block.type != kernels::SampleType::kFloat32 || kernels::peak(block) <= kMostSample;
}

// A range of a recording: its first channel, and the mean of all where that is wanted.
class Part {
 public:
  Part(Range range, bool with_mean)
      : range_{std::max<std::int64_t>(range.begin, 0), std::max<std::int64_t>(range.end, 0)},
        with_mean_(with_mean) {
    view_.begin = range_.begin;
  }

  // Keeps what it needs of a block; a view of it if there is only that one.
  void take(const AudioView& block, bool only) {
    const std::int64_t begin = std::max(block.begin, range_.begin);
    const std::int64_t end = std::min(block.begin + block.count, range_.end);
    if (begin >= end) {
      return;
    }
    if (only) {
      view_ = kernels::cut(block, begin, end);
      mean_ = kernels::kMeanOfChannels;
      return;
    }
    if (held_.empty()) {
      hold(block.channels);
    }
    float* const to = held_.data() + (begin - range_.begin);
    kernels::load_samples(block, 0, begin, end - begin, to);
    if (mean_ == 1) {
      kernels::load_samples(block, kernels::kMeanOfChannels, begin, end - begin, to + range_.size());
    }
  }

  const AudioView& view() const noexcept { return view_; }
  std::int32_t mean_channel() const noexcept { return mean_; }

 private:
  void hold(std::int32_t channels) {
    mean_ = with_mean_ && channels > 1 ? 1 : 0;
    view_.channels = mean_ + 1;
    held_.resize(static_cast<std::size_t>(range_.size() * view_.channels));
    view_.samples = held_.data();
    view_.count = range_.size();
    view_.channel_stride = range_.size() * static_cast<std::int64_t>(sizeof(float));
  }

  Range range_;
  bool with_mean_;
  AudioView view_;
  std::int32_t mean_ = 0;
  std::vector<float> held_;
};

// The different clips in their order, and which of them each clip is.
struct Clips {
  std::vector<Range> ranges;
  std::vector<std::int64_t> index;

  explicit Clips(const ClipRanges& all) {
    for (const Range& range : all) {
      const auto found = std::ranges::find(ranges, range);
      index.push_back(found - ranges.begin());
      if (found == ranges.end()) {
        ranges.push_back(range);
      }
    }
  }

  std::int64_t count() const noexcept { return static_cast<std::int64_t>(ranges.size()); }
};

class Spectra {
 public:
  Spectra(audio::Recording& recording, const kernels::ResampleRates& rates, std::int64_t total, LentPtr lent)
      : recording_(recording),
        rates_(rates),
        total_(total),
        all_(clip_samples(total)),
        clips_(all_),
        lent_(std::move(lent)) {}

  std::optional<Prepared> make(Slots& slots) {
    const bool whole = total_ <= kWholeSamples;
    if (clips_.ranges[0].size() < kernels::kMelWindow || !read(whole, slots)) {
      return std::nullopt;
    }
    SoundClips clips{rates_, total_, clips_.ranges, whole, {}, lent_};
    for (const Part& part : parts_) {
      clips.parts.push_back({part.view(), part.mean_channel()});
    }
    if (!leave_sound(clips, slots)) {
      if (lent_ != nullptr) {
        return std::nullopt;
      }
      float* const out = slots.reserve(clips.count());
      if (out == nullptr || !clips.make(out)) {
        return std::nullopt;
      }
    }
    return prepared();
  }

 private:
  // The inputs that outputs of a range depend on; may reach outside the recording.
  Range needed(const Range& wanted) const noexcept {
    if (rates_.orig == rates_.target || wanted.size() == 0) {
      return wanted;
    }
    const std::int64_t half = kernels::resample_half(rates_);
    return {wanted.begin * rates_.orig / rates_.target - half,
            (wanted.end - 1) * rates_.orig / rates_.target + half + 1};
  }

  bool read(bool whole, const Slots& slots) {
    std::vector<Range> wanted;
    if (whole) {
      wanted.push_back(needed({0, total_}));
    } else {
      std::ranges::transform(clips_.ranges, std::back_inserter(wanted),
                             [this](const Range& range) { return needed(range); });
    }
    parts_.reserve(wanted.size());
    for (const Range& range : wanted) {
      parts_.emplace_back(range, whole);
    }
    const bool only = recording_.is_one_block();
    std::int64_t end = 0;
    const bool good = recording_.read(wanted, [&](const AudioView& block) {
      end = block.begin + block.count;
      if (end > recording_.frames || !(lent_ != nullptr || is_sound(block)) || !slots.wanted()) {
        return false;
      }
      for (Part& part : parts_) {
        part.take(block, only);
      }
      return true;
    });
    return good && end == recording_.frames;
  }

  Prepared prepared() const {
    Prepared made;
    if (clips_.count() < kAudioClips) {
      made.index = clips_.index;
    }
    constexpr double kLeast = 0.01;  // seconds
    const auto outside = static_cast<double>(samples_outside(all_, total_));
    if (const double unheard = outside / kernels::kMelRate; unheard >= kLeast) {
      made.notes.emplace_back("seconds_unheard", in_hundredths(unheard));
    }
    return made;
  }

  // Rounded as Python does it: the nearest of the exact value, as text with two digits.
  static double in_hundredths(double seconds) noexcept {
    std::array<char, 64> text;
    const auto written =
        std::to_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed, 2);
    double rounded = seconds;
    std::from_chars(text.data(), written.ptr, rounded);
    return rounded;
  }

  audio::Recording& recording_;
  kernels::ResampleRates rates_;
  std::int64_t total_;
  ClipRanges all_;
  Clips clips_;
  LentPtr lent_;
  std::vector<Part> parts_;
};

}  // namespace

bool fits(const audio::Recording& recording, const Limits& limits) noexcept {
  constexpr std::int64_t kMostFrames = std::int64_t{1} << 40;  // so that products fit
  const auto rate = static_cast<double>(recording.rate);
  return recording.rate >= kLeastRate && recording.rate <= kMostRate && recording.frames >= 1 &&
         recording.frames <= kMostFrames &&
         static_cast<double>(recording.decoded) <= limits.max_seconds * rate;
}

std::optional<Prepared> spectra(audio::Recording& recording, Slots& slots, const LentPtr& lent) {
  constexpr std::int64_t kMostOutputs = std::int64_t{1} << 42;
  const std::int64_t common = std::gcd(recording.rate, std::int64_t{kernels::kMelRate});
  const kernels::ResampleRates rates{recording.rate / common, kernels::kMelRate / common};
  const std::int64_t total = (recording.frames * rates.target + rates.orig - 1) / rates.orig;
  if (!kernels::resamples(rates) || total > kMostOutputs) {
    return std::nullopt;
  }
  return Spectra(recording, rates, total, lent).make(slots);
}

}  // namespace bindrt::prepare
