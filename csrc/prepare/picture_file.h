// JPEG and PNG files whose metadata are as they should be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "csrc/png/file.h"
#include "csrc/prepare/contents.h"
#include "csrc/prepare/picture_numbers.h"
#include "csrc/prepare/prepare.h"

namespace bindrt::prepare {

struct PictureFile {
  std::optional<png::File> png;  // none: it is a JPEG
  int orientation = 1;           // 1 to 8, as its metadata have it
  bool transparency = false;     // of a PNG's colours
  bool radiometric = false;      // a JPEG with FLIR's own segments
};

// nullopt: another file, one with too many pixels, scans or chunks, or one that says something unusual. The
// pixels are not looked at, and the size of a JPEG is not known yet.
std::optional<PictureFile> read_picture_file(const Contents& contents, const Limits& limits);

// What to note of a picture that is taken as it is stored.
std::vector<std::pair<std::string, Value>> orientation_notes(const PictureFile& file);

// Whether `max_pixels` allows so many, and `max_picture_bytes` what Pillow would hold for them: so many bytes
// a pixel.
bool may_hold(std::int64_t width, std::int64_t height, const Limits& limits,
              double held_bytes = kHeldBytes) noexcept;

}  // namespace bindrt::prepare
