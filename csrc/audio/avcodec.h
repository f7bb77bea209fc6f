// The functions of FFmpeg's libavcodec, and the first fields of its structures, as PyAV's wheel has them: we
// call the very library that PyAV has loaded, without its headers. Later fields differ from version to
// version; these have their place in all versions that are taken.
#pragma once

#include <cstdint>

namespace bindrt::audio {

inline constexpr unsigned kOldestAvcodec = 60;  // of FFmpeg 6
inline constexpr unsigned kNewestAvcodec = 63;  // of FFmpeg 9

struct AvCodec;
struct AvContext;
struct AvOptions;

struct AvPacket {
  void* buffer;
  std::int64_t pts;
  std::int64_t dts;
  std::uint8_t* data;
  int size;
};

inline constexpr int kAvFloatPlanes = 8;  // a format: floats, each channel for itself

struct AvFrame {
  std::uint8_t* data[8];
  int line_size[8];
  std::uint8_t** extended_data;
  int width;
  int height;
  int samples;
  int format;
};

struct AvLibrary {
  unsigned (*version)();
  const AvCodec* (*find_decoder)(const char* name);
  AvContext* (*new_context)(const AvCodec*);
  void (*free_context)(AvContext**);
  int (*open)(AvContext*, const AvCodec*, AvOptions**);
  int (*send)(AvContext*, const AvPacket*);
  int (*receive)(AvContext*, AvFrame*);
  AvPacket* (*new_packet)();
  void (*free_packet)(AvPacket**);
  AvFrame* (*new_frame)();
  void (*free_frame)(AvFrame**);

  // Looks them up in the loaded module at `path` and what it depends on; false if one is missing, or if the
  // library is of a version that is not known.
  bool find(const char* path) noexcept;
};

}  // namespace bindrt::audio
