// An ordinary video: its frames are counted by their packets, and some of them decoded. As
// runtime/bindrt/sources/video.py has it, without what is unusual.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "csrc/audio/input.h"
#include "csrc/video/container.h"
#include "csrc/video/decoder.h"
#include "csrc/video/packets.h"
#include "csrc/video/running.h"
#include "kernels/video/yuv.h"

namespace bindrt::video {

// What a video may be; the runtime's `Limits`.
struct FilmLimits {
  std::int64_t max_pixels = 0;
  double max_seconds = 0;
  std::int64_t max_packets = 0;
  double max_pixels_per_byte = 0;
  std::int64_t max_picture_bytes = 0;
};

// A decoded frame, which is still to be turned.
struct Frame {
  kernels::DecodedPicture picture;
  std::int32_t quarter_turns = 0;  // counter-clockwise
};

class Film {
 public:
  using Wanted = std::function<bool()>;  // whether somebody waits for it

  // Null for what is not ordinary: another format than MP4, MOV, MKV and WebM, several videos, damage,
  // packets without times, a limit that is met. The input stays where it is.
  static std::unique_ptr<Film> open(const Ffmpeg& library, const audio::Input& input,
                                    const FilmLimits& limits, const Wanted& wanted);

  std::int64_t frames() const noexcept { return packets_.count(); }
  double rate() const noexcept { return stream_->average_rate.value(); }  // frames a second
  int width() const noexcept { return stream_->parameters->width; }       // before any turn
  int height() const noexcept { return stream_->parameters->height; }
  Run between(double start, std::optional<double> end) const {
    return packets_.between(start, end, stream_->time_base.value());
  }

  // Takes a frame by its number; whether it is as expected.
  using Take = std::function<bool(std::int64_t, const Frame&)>;
  // Decodes these frames, in rising order, each once. False if anything about it is unusual; some may be
  // taken by then.
  bool read(std::span<const std::int64_t> frames, const Take& take, const Wanted& wanted);
  // The same on a device: the planes of a frame are in its memory. Returns when they are not read any more:
  // null, or why the device did not do it, for people; the video may be read again then.
  const char* read_on(kernels::DeviceFilm& device, std::span<const std::int64_t> frames, const Take& take,
                      const Wanted& wanted);
  // Bytes of a device's memory that its decoder takes there for frames, at most, as the header says.
  std::int64_t bytes_on_device() const noexcept;

  const char* codec() const noexcept;  // its name

 private:
  Film(const Ffmpeg& library, const audio::Input& input, const FilmLimits& limits, bool turns)
      : library_(library), limits_(limits), size_(input.size()), turns_(turns), packet_(library) {}

  bool decode(Decoder& decoder, const Packets::Plan& plan, const Take& take, const Wanted& wanted);
  bool is_ordinary() const noexcept;
  bool may_be_held(const AvCodec& decoder) const noexcept;
  bool count(bool all_streams, const Wanted& wanted);
  bool fits(const Packets::Plan& plan) const noexcept;
  bool pull() noexcept;
  bool go_to(std::int64_t packet) noexcept;
  bool next(std::int64_t packet) noexcept;
  std::optional<Frame> frame_of(const AvFrame& decoded) const;
  bool set_planes(const AvFrame& decoded, kernels::DecodedPicture& picture) const noexcept;
  std::optional<std::int32_t> quarter_turns(const AvFrame& decoded) const noexcept;

  const Ffmpeg& library_;
  const FilmLimits limits_;
  const std::int64_t size_;
  const bool turns_;  // whether the container's rotation counts
  const Running running_;
  Packet packet_;
  std::unique_ptr<Container> container_;
  const AvStream* stream_ = nullptr;
  Packets packets_;
  std::int64_t next_ = 0;  // the packet after the one that was read last
};

}  // namespace bindrt::video
