// A media file that FFmpeg has opened, and its packets.
#pragma once

#include <cstdint>
#include <memory>

#include "csrc/audio/input.h"
#include "csrc/video/ffmpeg.h"

namespace bindrt::video {

// A packet that is used again and again.
class Packet {
 public:
  explicit Packet(const Ffmpeg& library) noexcept : library_(library), packet_(library.new_packet()) {}
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;
  ~Packet() { library_.free_packet(&packet_); }

  AvPacket* get() const noexcept { return packet_; }  // null: there was no memory
  const AvPacket& operator*() const noexcept { return *packet_; }
  void clear() const noexcept { library_.clear_packet(packet_); }

 private:
  const Ffmpeg& library_;
  AvPacket* packet_;
};

class Container {
 public:
  // Opens what `input` holds with one demuxer and no other; null if that refuses it. The input stays where it
  // is, and nothing else is read: no other file, no network.
  static std::unique_ptr<Container> open(const Ffmpeg& library, const audio::Input& input,
                                         const char* demuxer);
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container();

  // The only video; null if there is none, or if there are several: a cover picture is one as well.
  const AvStream* video() const noexcept;
  double seconds() const noexcept;  // as the header has it; 0: it says nothing
  unsigned stream_count() const noexcept { return format_->stream_count; }
  const AvStream& stream(int index) const noexcept { return *format_->streams[index]; }

  enum class Got { kPacket, kEnd, kError };
  Got read(Packet& to) noexcept;  // of any stream
  bool seek(const AvStream& stream,
            std::int64_t time) noexcept;  // to the key frame at this time or before it

 private:
  Container(const Ffmpeg& library, const audio::Input& input) noexcept : library_(library), input_(input) {}
  bool open(const char* demuxer) noexcept;
  bool is_known() const noexcept;

  static int read_bytes(void* user, std::uint8_t* to, int size);
  static std::int64_t seek_bytes(void* user, std::int64_t at, int whence);

  const Ffmpeg& library_;
  const audio::Input& input_;
  std::int64_t at_ = 0;
  AvIo* io_ = nullptr;
  AvFormat* format_ = nullptr;
};

}  // namespace bindrt::video
