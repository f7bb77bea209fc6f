// What a PNG says of its picture beside the pixels. Only what is written as it should be is read here: Pillow
// tells what is wrong with the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "csrc/png/file.h"
#include "csrc/png/library.h"

namespace bindrt::png {

// No program writes as many chunks: one holds 8192 bytes or more.
inline constexpr std::size_t kMostChunks = 200'000;

struct Metadata {
  std::string_view exif;  // tags, laid out as in a TIFF; empty if there are none
  std::string_view xmp;
  bool transparency = false;  // of a colour, or of the colours of a palette
};

// Reads the chunks before the pixels; `file` is what read_file made of the bytes. False if Pillow would see
// an error in them, or might. `metadata` points into `bytes`.
bool read_metadata(const Library& library, const File& file, const std::uint8_t* bytes, std::size_t size,
                   Metadata& metadata) noexcept;

}  // namespace bindrt::png
