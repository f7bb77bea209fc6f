// Opens decoders, and hands packets through them.
#include "csrc/video/decoder.h"

#include "csrc/video/on_device.h"

namespace bindrt::video {

std::unique_ptr<Decoder> Decoder::of(const Ffmpeg& library, const AvStream& stream, int threads,
                                     bool of_frames, int errors) {
  std::unique_ptr<Decoder> made(new Decoder(library));
  const bool good = made->begin(stream, library.find_decoder(stream.parameters->codec)) &&
                    made->open(threads, of_frames, errors);
  return good ? std::move(made) : nullptr;
}

// FFmpeg's own decoders use the device; what it finds for a codec may be another library's.
std::unique_ptr<Decoder> Decoder::on_device(const Ffmpeg& library, const AvStream& stream,
                                            const kernels::DeviceFilm& film) {
  const AvDescriptor* const codec = library.descriptor(stream.parameters->codec);
  if (codec == nullptr || !is_exact_codec(codec->name)) {
    return nullptr;
  }
  std::unique_ptr<Decoder> made(new Decoder(library));
  const bool good = made->begin(stream, library.find_decoder_named(codec->name)) &&
                    use_device(library, made->context_, film) && made->open(1, false, 0);
  return good ? std::move(made) : nullptr;
}

Decoder::~Decoder() {
  library_.free_context(&context_);
  library_.free_frame(&frame_);
}

bool Decoder::begin(const AvStream& stream, const AvCodec* codec) noexcept {
  codec_ = codec;
  context_ = codec_ == nullptr ? nullptr : library_.new_context(codec_);
  frame_ = library_.new_frame();
  return context_ != nullptr && frame_ != nullptr &&
         library_.set_parameters(context_, stream.parameters) >= 0 &&
         library_.set_ratio(context_, "pkt_timebase", stream.time_base, 0) >= 0;
}

bool Decoder::open(int threads, bool of_frames, int errors) noexcept {
  const int kinds = kSliceThreads | (of_frames ? kFrameThreads : 0);
  return library_.set_number(context_, "threads", threads, 0) >= 0 &&
         library_.set_number(context_, "thread_type", kinds, 0) >= 0 &&
         (errors == 0 || library_.set_number(context_, "err_detect", errors, 0) >= 0) &&
         library_.open(context_, codec_, nullptr) >= 0;
}

bool Decoder::decode(const AvPacket* packet, const Take& take) {
  if (library_.send(context_, packet) < 0) {
    return false;
  }
  for (;;) {
    const int answer = library_.receive(context_, frame_);
    if (answer == kAgain || answer == kEndOfFile) {
      return true;
    }
    if (answer < 0 || !take(*frame_)) {
      return false;
    }
  }
}

void Decoder::flush() noexcept { library_.flush(context_); }

void Decoder::skip_others(bool skip) noexcept {
  if (skip != skips_) {
    library_.set_number(context_, "skip_frame", skip ? kSkipNotReferred : kSkipNothing, 0);
    skips_ = skip;
  }
}

}  // namespace bindrt::video
