// Compares what a container's tables claim with what its file can hold, before FFmpeg takes memory. As
// runtime/bindrt/sources/claims.py, which says what is wrong.
#pragma once

#include <cstdint>
#include <optional>

#include "csrc/audio/input.h"

namespace bindrt::video {

enum class Kind { kMp4, kMatroska };  // MP4 and MOV; MKV and WebM

// By a file's first bytes; nothing for any other file.
std::optional<Kind> kind_of(const audio::Input& input);

// False also for what is not looked through: packed headers, and encrypted tracks.
bool holds_its_claims(const audio::Input& input, Kind kind, std::int64_t most_packets);

}  // namespace bindrt::video
