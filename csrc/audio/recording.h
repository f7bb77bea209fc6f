// A sound file that is open for reading.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "kernels/resample/audio_sample.h"

namespace bindrt::audio {

inline constexpr std::int64_t kBlock = std::int64_t{1} << 16;  // samples of each channel read at once
inline constexpr std::int64_t kAtOnce = std::int64_t{1}
                                        << 20;  // of all channels: a shorter recording is one block

// Samples [begin, end) of each channel.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t size() const noexcept { return end > begin ? end - begin : 0; }
  bool operator==(const Range&) const = default;
};

// Takes a block of samples; false ends the reading.
using Take = std::function<bool(const kernels::AudioView&)>;

class Recording {
 public:
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  virtual ~Recording() = default;

  std::int64_t rate = 0;      // samples a second
  std::int64_t frames = 0;    // samples of each channel
  std::int64_t decoded = 0;   // those that decoding makes; what a coder added to the sound is not in `frames`
  std::int32_t channels = 1;  // >= 1

  // Whether the whole recording comes as one block.
  virtual bool is_one_block() const noexcept { return frames <= kAtOnce / channels; }

  // Gives the blocks that hold the wanted samples, in order, to `take`; others may be left out. A block's
  // samples stay until the next one is read, and the last one's as long as the recording. False if the
  // file is damaged or `take` returned false.
  virtual bool read(std::span<const Range> wanted, const Take& take) = 0;
};

}  // namespace bindrt::audio
