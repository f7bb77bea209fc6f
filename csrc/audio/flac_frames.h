// The frames of a FLAC file, checked without decoding them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bindrt::audio {

// Whether the file is metadata and frames one after the other up to its end, each with right check sums and
// the next number, and together as many samples as the file says. Then parts of it can be decoded without the
// rest.
bool has_all_frames(std::span<const std::byte> bytes) noexcept;

}  // namespace bindrt::audio
