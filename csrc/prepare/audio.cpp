// Opens a recording of any ordinary kind, and hands it to the spectra.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "csrc/audio/flac_frames.h"
#include "csrc/audio/library.h"
#include "csrc/audio/mp3.h"
#include "csrc/audio/ordinary.h"
#include "csrc/audio/recording.h"
#include "csrc/audio/sndfile.h"
#include "csrc/prepare/arrays.h"
#include "csrc/prepare/audio_numbers.h"
#include "csrc/prepare/options.h"
#include "csrc/prepare/registry.h"
#include "csrc/prepare/segment.h"
#include "csrc/prepare/source.h"
#include "csrc/prepare/spectra.h"

namespace bindrt::prepare {
namespace {

using audio::Input;
using audio::Recording;
using audio::SoundFormat;

constexpr std::int64_t kMostHeld = std::int64_t{64} << 20;  // bytes of a file that is read whole
constexpr std::int64_t kHeldWav = std::int64_t{4} << 20;    // a larger one is read where it is wanted

// A waveform in memory.
class Waveform final : public Recording {
 public:
  Waveform(const kernels::AudioView& view, std::int64_t samples_a_second) : view_(view) {
    rate = samples_a_second;
    frames = view.count;
    decoded = view.count;
    channels = view.channels;
  }

  bool is_one_block() const noexcept override { return true; }
  bool read(std::span<const audio::Range>, const audio::Take& take) override { return take(view_); }

 private:
  kernels::AudioView view_;
};

// A waveform has its rate, a whole number of samples a second.
std::unique_ptr<Recording> waveform(const Array& array, std::optional<double> rate) {
  const std::size_t axes = array.shape.size();
  if ((axes != 1 && axes != 2) || !rate || *rate > kMostRate || *rate != std::floor(*rate)) {
    return nullptr;
  }
  const std::int64_t channels = axes == 2 ? array.shape[0] : 1;
  kernels::AudioView view;
  view.samples = array.data;
  view.count = array.shape[axes - 1];
  if (is(array, Array::Kind::kFloat, 32)) {
    view.type = kernels::SampleType::kFloat32;
  } else if (is(array, Array::Kind::kInt, 16)) {
    view.type = kernels::SampleType::kInt16;
  } else if (is(array, Array::Kind::kInt, 32)) {
    view.type = kernels::SampleType::kInt32;
  } else {
    return nullptr;
  }
  if (view.count < 1 || channels < 1 || channels > kMostChannels) {
    return nullptr;
  }
  view.channels = static_cast<std::int32_t>(channels);
  view.sample_stride = array.bits / 8;
  view.channel_stride = view.sample_stride * view.count;
  return std::make_unique<Waveform>(view, static_cast<std::int64_t>(*rate));
}

// Files of which every byte is looked at.
std::unique_ptr<Recording> held_sound(Input& input, std::string_view head, std::int64_t most) {
  const audio::SndLibrary* const sound = audio::libsndfile();
  const audio::AvLibrary* const codecs = audio::libavcodec();
  const bool flac = head.starts_with("fLaC");
  const bool ogg = head.starts_with("OggS");
  if (input.size() > most || ((flac || ogg) ? sound == nullptr : codecs == nullptr)) {
    return nullptr;
  }
  const auto bytes = input.hold();
  if (!bytes) {
    return nullptr;
  }
  if (!flac && !ogg) {
    return audio::open_mp3(*codecs, {reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()});
  }
  if (!(flac ? audio::is_ordinary_flac(*bytes) : audio::is_ordinary_ogg(*bytes))) {
    return nullptr;
  }
  auto found = audio::open_sound(*sound, input, flac ? SoundFormat::kFlac : SoundFormat::kOgg);
  // The clips alone of a long FLAC are decoded, so the rest is checked here.
  const bool whole = found == nullptr || !flac || found->is_one_block() || audio::has_all_frames(*bytes);
  return whole ? std::move(found) : nullptr;
}

std::unique_ptr<Recording> sound_file(Input& input, const Limits& limits) {
  char bytes[16] = {};
  const std::string_view head(bytes, static_cast<std::size_t>(input.read(0, bytes, sizeof bytes)));
  const std::int64_t most = std::min(kMostHeld, limits.max_bytes);
  if (head.starts_with("RIFF")) {
    const audio::SndLibrary* const library = audio::libsndfile();
    if (library == nullptr || (input.size() <= std::min(kHeldWav, most) && !input.hold()) ||
        !audio::is_ordinary_wav(input)) {
      return nullptr;
    }
    return audio::open_sound(*library, input, SoundFormat::kWav);
  }
  const bool mp3 = head.starts_with("ID3") || head.starts_with("\xFF");
  return mp3 || head.starts_with("fLaC") || head.starts_with("OggS") ? held_sound(input, head, most)
                                                                     : nullptr;
}

}  // namespace

std::optional<Prepared> prepare_audio(const Item& item, const Limits& limits, Slots& slots) {
  Options options(item);
  const std::optional<double> rate = options.positive("rate");
  const Span span{options.number("start").value_or(0.0), options.number("end")};
  options.flag("strict");  // what is damaged is left to Python, and so is its refusal
  const auto* const array = std::get_if<Array>(&item.source);
  if (!options.usual() || !span.is_right() || (rate && array == nullptr)) {
    return std::nullopt;
  }
  std::optional<Input> input = input_of(item, limits);
  const std::unique_ptr<Recording> whole = array != nullptr ? waveform(*array, rate)
                                           : input          ? sound_file(*input, limits)
                                                            : nullptr;
  if (whole == nullptr || !fits(*whole, limits)) {
    return std::nullopt;
  }
  const LentPtr lent = array != nullptr ? array->lent : nullptr;
  if (span.is_whole()) {
    return spectra(*whole, slots, lent);
  }
  const std::unique_ptr<Recording> part = segment(*whole, span);
  return part == nullptr ? std::nullopt : spectra(*part, slots, lent);
}

}  // namespace bindrt::prepare
