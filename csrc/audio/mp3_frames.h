// The frames of an MP3: their number is its length, whatever its header promises.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "csrc/audio/mpeg.h"

namespace bindrt::audio {

struct Mp3Frames {
  FrameHeader header;             // of the first frame
  std::vector<std::uint32_t> at;  // where each frame begins, and where the last one ends
  std::int64_t skip = 0;          // samples that the encoder put before the sound
  std::int64_t drop = 0;          // samples that it put behind it

  std::int64_t count() const noexcept { return static_cast<std::int64_t>(at.size()) - 1; }
  std::int64_t samples() const noexcept { return count() * header.samples - skip - drop; }
};

// The frames of an ordinary file: one recording of layer 3 whose frames stand one after the other, all there,
// as many as its header promises if it has one, with tags before and behind them. nullopt for any other.
std::optional<Mp3Frames> find_frames(ByteSpan bytes);

}  // namespace bindrt::audio
