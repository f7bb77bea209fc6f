// Bounds of videos that both ways of preparing share; Python has them from `_core.item_numbers()`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace bindrt::video {

inline constexpr double kFreePixels = 6e9;             // that any video may decode to: some seconds of work
inline constexpr double kFastest = 100'000;            // frames a second
inline constexpr std::int64_t kFreePackets = 100'000;  // that any file may have, however small
inline constexpr std::int64_t kLeastPacket = 16;       // bytes that each has on average beyond these
inline constexpr std::int64_t kPackedTimes =
    16;                                      // bytes of packets for each of the file: Matroska may compress
inline constexpr std::int64_t kMissing = 3;  // frames: a container's count may be wrong by so many
// Pixels of a frame beyond which one thread decodes: each thread keeps a frame of its own.
inline constexpr std::int64_t kLarge = std::int64_t{16} << 20;
// Bytes of frames for each of the file's beyond the limit: films in 8K are large files.
inline constexpr std::int64_t kHeldEach = 64;

// Frames that a decoder may keep, of codecs that let a file say how many: 16, and some on their way.
struct Kept {
  std::string_view decoder;
  std::int64_t frames;
};
inline constexpr Kept kKept[] = {{"h264", 24},       {"hevc", 24},     {"vvc", 24}, {"vp9", 10},
                                 {"libvpx-vp9", 10}, {"libdav1d", 10}, {"av1", 10}};
inline constexpr std::int64_t kFewKept = 4;  // of all others

constexpr std::int64_t frames_kept(std::string_view decoder) noexcept {
  for (const Kept& each : kKept) {
    if (each.decoder == decoder) {
      return each.frames;
    }
  }
  return kFewKept;
}

// Frames that FFmpeg has a GPU keep, at most, of the codecs that it decodes there: those that others are made
// of (AV1: twice, with film grain and without), those that wait for their turn and two more, as it asks NVDEC
// for them, and three that go out.
inline constexpr Kept kOnDevice[] = {{"h264", 37}, {"hevc", 22}, {"vp9", 13}, {"av1", 21}};

constexpr std::int64_t frames_on_device(std::string_view codec) noexcept {
  for (const Kept& each : kOnDevice) {
    if (each.decoder == codec) {
      return each.frames;
    }
  }
  return 0;  // not decoded there
}

// Packets that a file of so many bytes may have.
constexpr std::int64_t most_packets(std::int64_t size, std::int64_t limit) noexcept {
  return std::min(limit, kFreePackets + size / kLeastPacket);
}

}  // namespace bindrt::video
