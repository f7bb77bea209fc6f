// The FFmpeg that this process has loaded, and what is known of its frames.
#pragma once

#include <compare>
#include <optional>
#include <string>

#include "csrc/video/ffmpeg.h"
#include "kernels/video/yuv.h"

namespace bindrt::video {

// From now on videos are read by the FFmpeg of the loaded module at `path`; false if it is not loaded, or not
// of a version that is known. The first one stays. Any thread may call.
bool use_ffmpeg(const char* path);

// The library in use; null without one.
const Ffmpeg* ffmpeg() noexcept;

// What FFmpeg's own conversion to RGB may depend on.
struct FrameFormat {
  std::string name;  // of the pixel format
  int width = 0;
  int height = 0;
  int colorspace = 0;
  int color_range = 0;
  int color_trc = 0;
  int color_primaries = 0;

  // Sizes that are converted by the same code have the same format.
  static FrameFormat of(const AvFrame& frame, const char* name);
  static int of_size(int size) noexcept;
  auto operator<=>(const FrameFormat&) const = default;
};

// How our kernels convert such a frame: as FFmpeg does, which has been tried.
struct Conversion {
  kernels::PixelFormat format;
  kernels::YuvStandard standard;
  bool full;
};

// Keeps what was found out, unless very much is kept already or another thread is at it. Any thread may call.
void keep_conversion(const FrameFormat& of, const Conversion& conversion);
std::optional<Conversion> conversion(const FrameFormat& of);

}  // namespace bindrt::video
