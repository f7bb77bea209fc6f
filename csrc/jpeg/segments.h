// What stands in a JPEG file beside its pixels: its segments and its scans. The same walk as the runtime's
// sources/jpegfile.py, so that both see the same file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bindrt::jpeg {

inline constexpr std::int64_t kMostSegments = 20'000;  // before the first scan; no program writes as many

struct Segment {
  std::uint8_t marker;
  std::string_view content;
};

// The segments up to the first scan or the first damage; with `scans` also those after it, up to the end of
// the image. A thumbnail and what follows the image are not looked into.
class Segments {
 public:
  Segments(const std::uint8_t* data, std::size_t size, bool scans = false) noexcept;

  // False if there are no more.
  bool next(Segment& segment) noexcept;

 private:
  std::string_view file_;
  bool scans_;
  std::size_t at_ = 2;
};

// Whether a file has at most `most` scans, each of which costs a pass over all pixels, and no more segments
// before the first one than programs write.
bool has_few_scans(const std::uint8_t* data, std::size_t size, std::int64_t most) noexcept;

struct Metadata {
  std::string_view exif;     // tags, laid out as in a TIFF; empty if there are none
  std::string_view xmp;      // with the name that stands before it
  bool radiometric = false;  // FLIR's own segments
};

Metadata read_metadata(const std::uint8_t* data, std::size_t size) noexcept;

// Whether Pillow too opens the file without an error and finds this metadata: each segment before the first
// scan is of a kind that it knows, and is whole, and no metadata are in pieces.
bool has_plain_segments(const std::uint8_t* data, std::size_t size) noexcept;

// Whether it is a baseline JPEG as most are: 8 bits, luminance and two colours that have as many samples, or
// half as many across, or half as many across and down; one scan, and then the image's end. All decoders make
// the same of it, but for rounding. Whether the scan's data are whole, only decoding shows.
bool is_common(const std::uint8_t* data, std::size_t size) noexcept;

}  // namespace bindrt::jpeg
