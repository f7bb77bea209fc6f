// The binary interface of libsndfile 1.x, as far as reading needs it: we call the very library that the
// package `soundfile` has loaded, without its headers. tests/csrc/audio/test_sndfile_abi.cpp compares it with
// them where they are installed.
#pragma once

#include <cstdint>

namespace bindrt::audio {

struct SndFile;

struct SndInfo {
  std::int64_t frames;
  int samplerate;
  int channels;
  int format;
  int sections;
  int seekable;
};

struct SndVirtual {
  std::int64_t (*length)(void* user);
  std::int64_t (*seek)(std::int64_t offset, int whence, void* user);
  std::int64_t (*read)(void* to, std::int64_t count, void* user);
  std::int64_t (*write)(const void* from, std::int64_t count, void* user);
  std::int64_t (*tell)(void* user);
};

inline constexpr int kSndRead = 0x10;
inline constexpr int kSndSetClipping = 0x10C0;

inline constexpr int kSndTypes = 0x0FFF0000;
inline constexpr int kSndWav = 0x010000;
inline constexpr int kSndWavex = 0x130000;
inline constexpr int kSndFlac = 0x170000;
inline constexpr int kSndOgg = 0x200000;

inline constexpr int kSndCodecs = 0x0000FFFF;
inline constexpr int kSndPcmS8 = 0x0001;
inline constexpr int kSndPcm16 = 0x0002;
inline constexpr int kSndPcm24 = 0x0003;
inline constexpr int kSndPcm32 = 0x0004;
inline constexpr int kSndPcmU8 = 0x0005;
inline constexpr int kSndFloat = 0x0006;
inline constexpr int kSndDouble = 0x0007;
inline constexpr int kSndUlaw = 0x0010;
inline constexpr int kSndAlaw = 0x0011;
inline constexpr int kSndVorbis = 0x0060;
inline constexpr int kSndOpus = 0x0064;

}  // namespace bindrt::audio
