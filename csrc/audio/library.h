// The decoders' libraries, once Python has loaded them.
#pragma once

#include "csrc/audio/avcodec.h"
#include "csrc/audio/sndfile.h"

namespace bindrt::audio {

// From now on files are read by the library at `path`, which must be loaded; false if it is not, or not of a
// kind that is known. The first one stays. Any thread may call.
bool use_libsndfile(const char* path);
bool use_libavcodec(const char* path);

// The library in use; null without one.
const SndLibrary* libsndfile() noexcept;
const AvLibrary* libavcodec() noexcept;

}  // namespace bindrt::audio
