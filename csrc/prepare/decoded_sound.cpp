// Sounds of which a device makes the spectra: their samples go there as they were decoded.
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "csrc/prepare/left_bytes.h"
#include "csrc/prepare/sound_clips.h"
#include "kernels/mel/mel_gpu.h"
#include "kernels/resample/audio_view.h"
#include "kernels/resample/resample_gpu.h"

namespace bindrt::prepare {
namespace {

using kernels::AudioView;
using kernels::Decoded;
using kernels::GpuQueue;

constexpr float kMostLeft = 0x1p40F;  // resampled, it stays far below what spectra take

std::int64_t sample_bytes(const AudioView& view) noexcept {
  return view.type == kernels::SampleType::kInt16 ? 2 : 4;
}

bool needs_means(const SoundClips& clips) {
  const std::vector<kernels::ClipRange> ranges = clips.clip_ranges();
  bool any = false;
  for (std::int64_t i = 0; clips.together && i < clips.count(); ++i) {
    any = any || kernels::needs_mean(ranges.data(), clips.count(), i);
  }
  return any;
}

// The first channels of a view, one after the other from `to` on.
void gather(const AudioView& view, std::int32_t channels, std::byte* to) noexcept {
  const std::int64_t bytes = sample_bytes(view);
  for (std::int32_t channel = 0; channel < channels; ++channel) {
    const auto* from = static_cast<const std::byte*>(view.samples) + channel * view.channel_stride;
    if (view.sample_stride == bytes) {
      std::memcpy(to, from, static_cast<std::size_t>(view.count * bytes));
      to += view.count * bytes;
      continue;
    }
    for (std::int64_t i = 0; i < view.count; ++i, from += view.sample_stride, to += bytes) {
      bytes == 2 ? std::memcpy(to, from, 2) : std::memcpy(to, from, 4);
    }
  }
}

// What resampling and spectra of several sounds take.
struct Work {
  std::vector<kernels::ResampleItem> resampled;
  std::vector<kernels::MelRecording> recordings;
  std::int64_t views = 0;

  float* resample(GpuQueue& queue, const SoundClips& clips, const AudioView& view, std::int32_t channel,
                  const audio::Range& range) {
    auto* const out =
        static_cast<float*>(queue.scratch(static_cast<std::size_t>(range.size()) * sizeof(float)));
    resampled.push_back({clips.rates, view, channel, range.begin, range.size(), out});
    return out;
  }

  void add(const float* first, const float* means, const std::vector<kernels::ClipRange>& ranges) {
    kernels::MelRecording recording;
    recording.first = first;
    recording.channels = means;
    std::ranges::copy(ranges, recording.ranges);
    recording.clips = static_cast<std::int32_t>(ranges.size());
    recording.view = views;
    views += recording.clips;
    recordings.push_back(recording);
  }
};

class DecodedSound final : public Decoded {
 public:
  // `clips` has views of `bytes`, as if these began at `begin`.
  DecodedSound(SoundClips clips, LeftBytes bytes, const std::byte* begin)
      : clips_(std::move(clips)), bytes_(std::move(bytes)), begin_(begin) {}

  bool make(void* out) const noexcept override {
    return bytes_.here([&](const std::byte* samples) {
      SoundClips here = clips_;
      for (SoundPart& part : here.parts) {
        part.view = placed(part.view, samples);
      }
      return here.make(static_cast<float*>(out));
    });
  }

  void queue(GpuQueue& queue, std::span<const Decoded* const> items, kernels::OutType type,
             void* out) const override {
    Work work;
    for (const Decoded* const item : items) {
      static_cast<const DecodedSound*>(item)->add(queue, work);
    }
    kernels::resample_gpu(queue, work.resampled.data(), std::ssize(work.resampled));
    kernels::MelOutput target;
    target.out = out;
    target.type = type;
    kernels::log_mel_gpu(queue, work.recordings.data(), std::ssize(work.recordings), target);
  }

 private:
  // A view of the bytes where they lie at `samples`.
  AudioView placed(AudioView view, const std::byte* samples) const noexcept {
    view.samples = samples + (static_cast<const std::byte*>(view.samples) - begin_);
    return view;
  }

  void add(GpuQueue& queue, Work& work) const {
    const std::byte* const device = bytes_.on(queue);
    if (clips_.together) {
      const SoundPart& part = clips_.parts[0];
      const AudioView view = placed(part.view, device);
      const audio::Range all{0, clips_.total};
      const float* const first = work.resample(queue, clips_, view, 0, all);
      const bool apart = view.channels > 1 && needs_means(clips_);
      work.add(first, apart ? work.resample(queue, clips_, view, part.mean_channel, all) : first,
               clips_.clip_ranges());
      return;
    }
    for (std::size_t i = 0; i < clips_.ranges.size(); ++i) {
      const audio::Range& range = clips_.ranges[i];
      const AudioView view = placed(clips_.parts[i].view, device);
      const float* const samples = work.resample(queue, clips_, view, 0, range);
      work.add(samples, nullptr, {{0, range.size(), 0.0}});
    }
  }

  const SoundClips clips_;
  const LeftBytes bytes_;
  const std::byte* const begin_;
};

bool is_moderate(const SoundPart& part) noexcept {
  return part.view.type != kernels::SampleType::kFloat32 || kernels::peak(part.view) <= kMostLeft;
}

// The clips, of no more channels than they need.
SoundClips narrowed(const SoundClips& clips) {
  const bool all = needs_means(clips);
  SoundClips left = clips;
  for (SoundPart& part : left.parts) {
    part.view.channels = all ? part.view.channels : 1;
    part.mean_channel = part.view.channels == 1 ? 0 : part.mean_channel;
  }
  return left;
}

bool leave(SoundClips clips, LeftBytes bytes, const std::byte* begin, Slots& slots) {
  slots.reserve(clips.count());
  slots.leave(std::make_shared<DecodedSound>(std::move(clips), std::move(bytes), begin));
  return true;
}

}  // namespace

bool leave_sound(const SoundClips& clips, Slots& slots) {
  if (!slots.may_leave() || !kernels::resamples_on_gpu(clips.rates)) {
    return false;
  }
  SoundClips left = narrowed(clips);
  if (clips.lent != nullptr) {
    return leave(std::move(left), LeftBytes(clips.lent), clips.lent->data(), slots);
  }
  if (!std::ranges::all_of(clips.parts, &is_moderate)) {
    return false;
  }
  constexpr std::int64_t kAlignment = 256;
  std::vector<std::int64_t> places;
  std::int64_t bytes = 0;
  for (const SoundPart& part : left.parts) {
    const AudioView& view = part.view;
    places.push_back(bytes);
    bytes += (view.channels * view.count * sample_bytes(view) + kAlignment - 1) / kAlignment * kAlignment;
  }
  const auto size = static_cast<std::size_t>(bytes);
  LeftBytes memory(slots.room(size, clips.count()), size);
  if (!memory) {
    return false;
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    AudioView& view = left.parts[i].view;
    gather(clips.parts[i].view, view.channels, memory.room() + places[i]);
    view.samples = memory.room() + places[i];
    view.sample_stride = sample_bytes(view);
    view.channel_stride = view.count * view.sample_stride;
  }
  const std::byte* const begin = memory.room();
  return leave(std::move(left), std::move(memory), begin, slots);
}

}  // namespace bindrt::prepare
