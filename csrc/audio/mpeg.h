// Headers of MPEG audio frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace bindrt::audio {

using ByteSpan = std::span<const std::uint8_t>;

struct FrameHeader {
  std::uint32_t word = 0;     // its 32 bits
  std::int32_t length = 0;    // bytes of the frame, with the header
  std::int32_t samples = 0;   // of each channel
  std::int32_t rate = 0;      // samples a second
  std::int32_t channels = 0;  // 1 or 2
  std::int32_t layer = 0;     // 1 to 3

  // Bytes between a header of layer 3 and the frame's data; a Xing header stands behind them instead.
  std::int32_t side_info() const noexcept;

  // Whether the two can be frames of one recording: the same version, layer and rate.
  bool follows(const FrameHeader& other) const noexcept { return ((word ^ other.word) & 0xFFFE0C00U) == 0; }
};

// The header that begins at `at`; nullopt if none does. A free bit rate counts as none.
std::optional<FrameHeader> frame_header(ByteSpan bytes, std::size_t at) noexcept;

// Whether a frame begins at `at` that two others of its kind follow, as far as there are bytes: the third is
// not asked for behind their end.
bool begins_frames(ByteSpan bytes, std::size_t at) noexcept;

// Where the tags (ID3) and zeros at the beginning end.
std::size_t sound_start(ByteSpan bytes) noexcept;

// The length of the tag (ID3, APE, or ID3's first version) that begins here; 0 if none does.
std::size_t tag_length(ByteSpan bytes) noexcept;

}  // namespace bindrt::audio
