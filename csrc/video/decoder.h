// Decodes packets of a video to frames.
#pragma once

#include <functional>
#include <memory>

#include "csrc/video/ffmpeg.h"
#include "kernels/base/decoded.h"

namespace bindrt::video {

class Decoder {
 public:
  // For a stream's packets, in so many threads: of frames, or only of their parts. `errors`: flags of what is
  // an error beyond what always is. Null if FFmpeg has no decoder of its codec, or no memory.
  static std::unique_ptr<Decoder> of(const Ffmpeg& library, const AvStream& stream, int threads,
                                     bool of_frames, int errors = 0);
  // On a device, of whose context and stream the film knows; null as well if FFmpeg, the driver or the codec
  // is not for that. What the device itself refuses is known at the first packets. The film must outlive it.
  static std::unique_ptr<Decoder> on_device(const Ffmpeg& library, const AvStream& stream,
                                            const kernels::DeviceFilm& film);
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder();

  // Takes a frame, which stays until the next; whether it wants more.
  using Take = std::function<bool(const AvFrame&)>;
  // Gives the frames that are ready after this packet; null: all that are left. False: the decoder refuses
  // the packet, or `take` wants no more.
  bool decode(const AvPacket* packet, const Take& take);
  // Forgets all before.
  void flush() noexcept;
  // Whether frames that no other refers to are left out from now on.
  void skip_others(bool skip) noexcept;

 private:
  explicit Decoder(const Ffmpeg& library) noexcept : library_(library) {}
  bool begin(const AvStream& stream, const AvCodec* codec) noexcept;
  bool open(int threads, bool of_frames, int errors) noexcept;

  const Ffmpeg& library_;
  const AvCodec* codec_ = nullptr;
  AvContext* context_ = nullptr;
  AvFrame* frame_ = nullptr;
  bool skips_ = false;
};

}  // namespace bindrt::video
