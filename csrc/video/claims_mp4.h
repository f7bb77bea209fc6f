// The tables of an MP4 or MOV.
#pragma once

#include <cstdint>

#include "csrc/audio/input.h"

namespace bindrt::video {

// Whether no table claims more packets than `most`, nor more bytes of them than the file has.
bool mp4_holds(const audio::Input& input, std::int64_t most);

}  // namespace bindrt::video
