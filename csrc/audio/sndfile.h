// WAV, FLAC, OGG Vorbis and Opus through the libsndfile that the package `soundfile` has loaded.
#pragma once

#include <cstdint>
#include <memory>

#include "csrc/audio/input.h"
#include "csrc/audio/recording.h"
#include "csrc/audio/sndfile_abi.h"

namespace bindrt::audio {

struct SndLibrary {
  SndFile* (*open)(SndVirtual*, int mode, SndInfo*, void* user);
  int (*close)(SndFile*);
  int (*error)(SndFile*);
  int (*command)(SndFile*, int command, void* data, int size);
  std::int64_t (*seek)(SndFile*, std::int64_t frames, int whence);
  std::int64_t (*read_short)(SndFile*, std::int16_t*, std::int64_t frames);
  std::int64_t (*read_int)(SndFile*, std::int32_t*, std::int64_t frames);
  std::int64_t (*read_float)(SndFile*, float*, std::int64_t frames);

  // Looks them up in the loaded library at `path`; false if it is not loaded or one is missing.
  bool find(const char* path) noexcept;
};

enum class SoundFormat { kWav, kFlac, kOgg };

// An ordinary file of the format; null if libsndfile does not open it, or as something else. It reads from
// `input`, which stays where it is. Any thread may call: what libsndfile shares between threads is the log of
// the last file that it could not open, which nobody reads.
std::unique_ptr<Recording> open_sound(const SndLibrary& library, const Input& input, SoundFormat format);

}  // namespace bindrt::audio
