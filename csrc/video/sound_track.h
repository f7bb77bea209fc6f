// The sound track of an ordinary MP4 or MOV, decoded from its beginning to its end. As
// runtime/bindrt/sources/tracks.py has it, without what is unusual.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "csrc/audio/input.h"
#include "csrc/video/container.h"
#include "csrc/video/decoder.h"

namespace bindrt::video {

class SoundTrack {
 public:
  // The track with this number, which should have so many samples a second. Null for another container, or
  // tables that claim more than the file can hold. The input stays where it is.
  static std::unique_ptr<SoundTrack> open(const Ffmpeg& library, const audio::Input& input, int stream,
                                          int rate, std::int64_t max_packets);

  // What follows the samples that were read.
  enum class Next { kMore, kEnd, kUnusual };  // unusual: damage, another rate, layout or format

  // Decodes until there are `least` samples of each channel, or no more.
  Next read(std::int64_t least);

  // The samples of the last reading, each channel for itself.
  const std::vector<std::vector<float>>& channels() const noexcept { return channels_; }
  std::int64_t samples() const noexcept {
    return channels_.empty() ? 0 : static_cast<std::int64_t>(channels_.front().size());
  }

 private:
  SoundTrack(const Ffmpeg& library, int rate) : rate_(rate), packet_(library) {}

  bool take(const AvFrame& frame);

  const int rate_;
  Packet packet_;
  std::unique_ptr<Container> container_;
  std::unique_ptr<Decoder> decoder_;
  int stream_ = 0;
  std::uint64_t layout_ = 0;  // of the first frame; 0: there was none
  std::vector<std::vector<float>> channels_;
};

}  // namespace bindrt::video
