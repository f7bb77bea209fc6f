// Reads packets of a sound track, and keeps what they decode to.
#include "csrc/video/sound_track.h"

#include <optional>

#include "csrc/video/claims.h"
#include "csrc/video/film_numbers.h"

namespace bindrt::video {
namespace {

constexpr int kMostChannels = 64;
constexpr int kOneThread = 1;  // a packet of sound is too little for several

}  // namespace

std::unique_ptr<SoundTrack> SoundTrack::open(const Ffmpeg& library, const audio::Input& input, int stream,
                                             int rate, std::int64_t max_packets) {
  const std::optional<Kind> kind = kind_of(input);
  if (kind != Kind::kMp4 || !holds_its_claims(input, *kind, most_packets(input.size(), max_packets))) {
    return nullptr;
  }
  std::unique_ptr<SoundTrack> track(new SoundTrack(library, rate));
  track->container_ = Container::open(library, input, "mov");
  if (track->packet_.get() == nullptr || track->container_ == nullptr || stream < 0 ||
      static_cast<unsigned>(stream) >= track->container_->stream_count() ||
      track->container_->stream(stream).parameters->type != kSoundStream) {
    return nullptr;
  }
  track->stream_ = stream;
  track->decoder_ = Decoder::of(library, track->container_->stream(stream), kOneThread, false, kCheckSums);
  return track->decoder_ == nullptr ? nullptr : std::move(track);
}

SoundTrack::Next SoundTrack::read(std::int64_t least) {
  for (std::vector<float>& channel : channels_) {
    channel.clear();
  }
  const auto take = [this](const AvFrame& frame) { return this->take(frame); };
  while (samples() < least) {
    const Container::Got got = container_->read(packet_);
    if (got == Container::Got::kError) {
      return Next::kUnusual;
    }
    if (got == Container::Got::kEnd) {
      return decoder_->decode(nullptr, take) ? Next::kEnd : Next::kUnusual;
    }
    if ((*packet_).stream != stream_) {
      continue;
    }
    if ((*packet_).size == 0 || !decoder_->decode(packet_.get(), take)) {
      return Next::kUnusual;
    }
  }
  return Next::kMore;
}

bool SoundTrack::take(const AvFrame& frame) {
  const AvChannels& layout = frame.channels;
  const bool is_usual = frame.format == kFloatPlanes && frame.sample_rate == rate_ && frame.samples >= 0 &&
                        (frame.flags & kCorruptFrame) == 0 && frame.error_flags == 0 &&
                        layout.order == kNativeOrder && layout.mask != 0 && layout.count >= 1 &&
                        layout.count <= kMostChannels && (layout_ == 0 || layout.mask == layout_);
  if (!is_usual) {
    return false;
  }
  layout_ = layout.mask;
  channels_.resize(static_cast<std::size_t>(layout.count));
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const auto* const from = reinterpret_cast<const float*>(frame.extended_data[i]);
    channels_[i].insert(channels_[i].end(), from, from + frame.samples);
  }
  return true;
}

}  // namespace bindrt::video
