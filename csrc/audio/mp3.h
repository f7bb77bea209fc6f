// MP3 through the libavcodec that PyAV has loaded.
#pragma once

#include <memory>

#include "csrc/audio/avcodec.h"
#include "csrc/audio/mpeg.h"
#include "csrc/audio/recording.h"

namespace bindrt::audio {

// An ordinary file; null for any other. `bytes` stay where they are.
std::unique_ptr<Recording> open_mp3(const AvLibrary& library, ByteSpan bytes);

}  // namespace bindrt::audio
