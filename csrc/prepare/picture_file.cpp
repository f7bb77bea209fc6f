// Recognises pictures by how they begin, as Python does, and reads what they say beside their pixels.
#include "csrc/prepare/picture_file.h"

#include <cstring>

#include "csrc/jpeg/segments.h"
#include "csrc/png/metadata.h"
#include "csrc/prepare/libraries.h"
#include "csrc/prepare/orientation.h"

namespace bindrt::prepare {
namespace {

bool is_jpeg(const Contents& contents) noexcept {
  constexpr std::uint8_t kBegin[] = {0xFF, 0xD8, 0xFF};
  return contents.size() >= sizeof kBegin && std::memcmp(contents.data(), kBegin, sizeof kBegin) == 0;
}

std::optional<PictureFile> read_jpeg(const Contents& contents, const Limits& limits) {
  if (jpeg_library() == nullptr || !jpeg::has_few_scans(contents.data(), contents.size(), limits.max_scans)) {
    return std::nullopt;
  }
  const jpeg::Metadata found = jpeg::read_metadata(contents.data(), contents.size());
  PictureFile file;
  file.orientation = find_orientation(found.exif, found.xmp);
  file.radiometric = found.radiometric;
  return file;
}

std::optional<PictureFile> read_png(const Contents& contents, const Limits& limits) {
  PictureFile file;
  png::File& header = file.png.emplace();
  png::Metadata found;
  if (png_library() == nullptr || !png::read_file(contents.data(), contents.size(), header) ||
      !may_hold(header.width, header.height, limits) ||
      !png::read_metadata(*png_library(), header, contents.data(), contents.size(), found)) {
    return std::nullopt;
  }
  file.orientation = find_orientation(found.exif, found.xmp);
  file.transparency = found.transparency;
  return file;
}

}  // namespace

std::optional<PictureFile> read_picture_file(const Contents& contents, const Limits& limits) {
  return is_jpeg(contents) ? read_jpeg(contents, limits) : read_png(contents, limits);
}

std::vector<std::pair<std::string, Value>> orientation_notes(const PictureFile& file) {
  if (file.orientation == 1) {
    return {};
  }
  return {{"exif_orientation", std::int64_t{file.orientation}}};
}

bool may_hold(std::int64_t width, std::int64_t height, const Limits& limits, double held_bytes) noexcept {
  return width > 0 && height > 0 && width <= limits.max_pixels / height &&
         held_bytes * static_cast<double>(width) * static_cast<double>(height) <=
             static_cast<double>(limits.max_picture_bytes);
}

}  // namespace bindrt::prepare
