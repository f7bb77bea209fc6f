// Decodes the frames of an MP3 that hold what is wanted.
#include "csrc/audio/mp3.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "csrc/audio/mp3_frames.h"

namespace bindrt::audio {
namespace {

constexpr std::int64_t kFramesAtOnce = 64;  // frames nearer to each other are decoded in one run
constexpr std::int64_t kReservoir = 511;    // bytes that a frame may borrow from those before it
constexpr std::int64_t kOverlap = 2;        // frames whose samples overlap the next one's

// A decoder at its beginning.
class Decoder {
 public:
  explicit Decoder(const AvLibrary& library) noexcept
      : library_(library), packet_(library.new_packet()), frame_(library.new_frame()) {
    const AvCodec* const codec = library.find_decoder("mp3float");
    context_ = codec == nullptr ? nullptr : library.new_context(codec);
    good_ = context_ != nullptr && packet_ != nullptr && frame_ != nullptr &&
            library.open(context_, codec, nullptr) == 0;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() {
    library_.free_context(&context_);
    library_.free_packet(&packet_);
    library_.free_frame(&frame_);
  }

  // The samples of a frame, each channel for itself; null if it cannot be decoded. They stay until the next.
  const AvFrame* decode(ByteSpan bytes, const FrameHeader& header) noexcept {
    if (!good_) {
      return nullptr;
    }
    packet_->data = const_cast<std::uint8_t*>(bytes.data());  // it is copied
    packet_->size = static_cast<int>(bytes.size());
    good_ = library_.send(context_, packet_) == 0 && library_.receive(context_, frame_) == 0 &&
            frame_->format == kAvFloatPlanes && frame_->samples == header.samples &&
            frame_->data[header.channels - 1] != nullptr && frame_->data[header.channels] == nullptr;
    packet_->data = nullptr;
    packet_->size = 0;
    return good_ ? frame_ : nullptr;
  }

 private:
  const AvLibrary& library_;
  AvContext* context_ = nullptr;
  AvPacket* packet_;
  AvFrame* frame_;
  bool good_ = false;
};

class Mp3 final : public Recording {
 public:
  Mp3(const AvLibrary& library, ByteSpan bytes, Mp3Frames found)
      : library_(library), bytes_(bytes), found_(std::move(found)) {
    rate = found_.header.rate;
    frames = found_.samples();
    decoded = found_.count() * found_.header.samples;
    channels = found_.header.channels;
  }

  bool read(std::span<const Range> wanted, const Take& take) override {
    for (const Range& run : is_one_block() ? std::vector<Range>{{0, found_.count()}} : runs(wanted)) {
      if (!decode(run, take)) {
        return false;
      }
    }
    return true;
  }

 private:
  // The frames that hold the wanted samples, in order; those near each other in one run.
  std::vector<Range> runs(std::span<const Range> wanted) const {
    std::vector<Range> sorted(wanted.begin(), wanted.end());
    std::ranges::sort(sorted, {}, &Range::begin);
    std::vector<Range> found;
    const std::int64_t each = found_.header.samples;
    for (const Range& range : sorted) {
      const std::int64_t begin = std::max<std::int64_t>(range.begin, 0);
      const std::int64_t end = std::min(range.end, frames);
      if (begin >= end) {
        continue;
      }
      Range run{(begin + found_.skip) / each, std::min((end - 1 + found_.skip) / each + 1, found_.count())};
      if (!found.empty() && run.begin <= found.back().end + kFramesAtOnce) {
        run.begin = found.back().begin;
        found.pop_back();
      }
      found.push_back(run);
    }
    return found;
  }

  // The frame from which decoding must begin so that frame `first` is exact.
  std::int64_t before(std::int64_t first) const noexcept {
    std::int64_t at = std::max<std::int64_t>(first - kOverlap, 0);
    std::int64_t borrowed = 0;
    while (at > 0 && borrowed < kReservoir) {
      --at;
      borrowed += std::max<std::int64_t>(length(at) - 4 - found_.header.side_info(), 0);
    }
    return at;
  }

  std::int64_t length(std::int64_t frame) const noexcept {
    const auto at = static_cast<std::size_t>(frame);
    return std::int64_t{found_.at[at + 1]} - found_.at[at];
  }

  ByteSpan frame(std::int64_t number) const noexcept {
    return bytes_.subspan(found_.at[static_cast<std::size_t>(number)],
                          static_cast<std::size_t>(length(number)));
  }

  // Decodes a run of frames, and gives its samples in blocks.
  bool decode(const Range& run, const Take& take) {
    Decoder decoder(library_);
    const std::int64_t each = found_.header.samples;
    const std::int64_t at_once = is_one_block() ? found_.count() : kBlock / each;
    std::int64_t at = before(run.begin);
    for (; at < run.begin; ++at) {
      if (decoder.decode(frame(at), found_.header) == nullptr) {
        return false;
      }
    }
    samples_.resize(static_cast<std::size_t>(std::min(at_once, run.size()) * each * channels));
    for (; at < run.end; at += at_once) {
      const std::int64_t some = std::min(at_once, run.end - at);
      for (std::int64_t i = 0; i < some; ++i) {
        const AvFrame* const made = decoder.decode(frame(at + i), found_.header);
        if (made == nullptr) {
          return false;
        }
        interleave(*made, samples_.data() + i * each * channels);
      }
      if (!give(at * each, some * each, take)) {
        return false;
      }
    }
    return true;
  }

  void interleave(const AvFrame& frame, float* to) const noexcept {
    for (std::int32_t channel = 0; channel < channels; ++channel) {
      const auto* const from = reinterpret_cast<const float*>(frame.data[channel]);
      for (std::int32_t i = 0; i < frame.samples; ++i) {
        to[i * channels + channel] = from[i];
      }
    }
  }

  // What is sound of `count` decoded samples that begin at sample `first` of all frames.
  bool give(std::int64_t first, std::int64_t count, const Take& take) const {
    const std::int64_t begin = std::max<std::int64_t>(first - found_.skip, 0);
    const std::int64_t end = std::min(first + count - found_.skip, frames);
    if (begin >= end) {
      return true;
    }
    kernels::AudioView view;
    view.samples = samples_.data() + (begin + found_.skip - first) * channels;
    view.channels = channels;
    view.begin = begin;
    view.count = end - begin;
    view.channel_stride = sizeof(float);
    view.sample_stride = static_cast<std::int64_t>(sizeof(float)) * channels;
    return take(view);
  }

  const AvLibrary& library_;
  ByteSpan bytes_;
  Mp3Frames found_;
  std::vector<float> samples_;
};

}  // namespace

std::unique_ptr<Recording> open_mp3(const AvLibrary& library, ByteSpan bytes) {
  auto found = find_frames(bytes);
  return found ? std::make_unique<Mp3>(library, bytes, std::move(*found)) : nullptr;
}

}  // namespace bindrt::audio
