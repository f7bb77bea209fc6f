// Sounds of which a device makes the spectra: their samples go there as they were decoded.
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

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
  // `clips` has views of `memory`.
  DecodedSound(SoundClips clips, std::shared_ptr<std::byte> memory, std::size_t bytes)
      : clips_(std::move(clips)), memory_(std::move(memory)), bytes_(bytes) {}

  bool make(void* out) const noexcept override {
    try {
      return clips_.make(static_cast<float*>(out));
    } catch (...) {
      return false;
    }
  }

  void queue(GpuQueue& queue, std::span<const Decoded* const> items, void* out) const override {
    Work work;
    for (const Decoded* const item : items) {
      static_cast<const DecodedSound*>(item)->add(queue, work);
    }
    kernels::resample_gpu(queue, work.resampled.data(), std::ssize(work.resampled));
    kernels::MelOutput target;
    target.out = out;
    kernels::log_mel_gpu(queue, work.recordings.data(), std::ssize(work.recordings), target);
  }

 private:
  void add(GpuQueue& queue, Work& work) const {
    auto* const device = static_cast<std::byte*>(queue.scratch(bytes_));
    queue.upload_pinned(device, memory_.get(), bytes_);
    const auto on_device = [&](const AudioView& view) {
      AudioView placed = view;
      placed.samples = device + (static_cast<const std::byte*>(view.samples) - memory_.get());
      return placed;
    };
    if (clips_.together) {
      const SoundPart& part = clips_.parts[0];
      const AudioView view = on_device(part.view);
      const audio::Range all{0, clips_.total};
      const float* const first = work.resample(queue, clips_, view, 0, all);
      const bool apart = view.channels > 1 && needs_means(clips_);
      work.add(first, apart ? work.resample(queue, clips_, view, part.mean_channel, all) : first,
               clips_.clip_ranges());
      return;
    }
    for (std::size_t i = 0; i < clips_.ranges.size(); ++i) {
      const audio::Range& range = clips_.ranges[i];
      const float* const samples = work.resample(queue, clips_, on_device(clips_.parts[i].view), 0, range);
      work.add(samples, nullptr, {{0, range.size(), 0.0}});
    }
  }

  const SoundClips clips_;
  const std::shared_ptr<std::byte> memory_;
  const std::size_t bytes_;
};

}  // namespace

bool leave_sound(const SoundClips& clips, Slots& slots) {
  const auto is_moderate = [](const SoundPart& part) {
    return part.view.type != kernels::SampleType::kFloat32 || kernels::peak(part.view) <= kMostLeft;
  };
  if (!slots.may_leave() || !kernels::resamples_on_gpu(clips.rates) ||
      !std::ranges::all_of(clips.parts, is_moderate)) {
    return false;
  }
  constexpr std::int64_t kAlignment = 256;
  const bool all = needs_means(clips);
  SoundClips left = clips;
  std::vector<std::int64_t> places;
  std::int64_t bytes = 0;
  for (SoundPart& part : left.parts) {
    AudioView& view = part.view;
    places.push_back(bytes);
    view.channels = all ? view.channels : 1;
    bytes += (view.channels * view.count * sample_bytes(view) + kAlignment - 1) / kAlignment * kAlignment;
  }
  std::shared_ptr<std::byte> memory = slots.room(static_cast<std::size_t>(bytes), clips.count());
  if (memory == nullptr) {
    return false;
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    AudioView& view = left.parts[i].view;
    gather(clips.parts[i].view, view.channels, memory.get() + places[i]);
    view.samples = memory.get() + places[i];
    view.sample_stride = sample_bytes(view);
    view.channel_stride = view.count * view.sample_stride;
    left.parts[i].mean_channel = view.channels == 1 ? 0 : left.parts[i].mean_channel;
  }
  slots.reserve(clips.count());
  slots.leave(
      std::make_shared<DecodedSound>(std::move(left), std::move(memory), static_cast<std::size_t>(bytes)));
  return true;
}

}  // namespace bindrt::prepare
