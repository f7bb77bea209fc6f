// Looks for one tag in the first directory of EXIF, and for one word in XMP.
#include "csrc/prepare/orientation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "csrc/prepare/tags.h"

namespace bindrt::prepare {
namespace {

int in_exif(const Tags& tags) noexcept {
  if (!tags.usual()) {
    return 0;
  }
  const std::size_t start = tags.number(4, 4);
  if (start + 2 > tags.size()) {
    return 0;
  }
  const std::size_t end = std::min(start + 2 + tags.number(start, 2) * Tags::kEntry, tags.size());
  for (std::size_t at = start + 2; at < end && at + Tags::kEntry <= tags.size(); at += Tags::kEntry) {
    const std::uint32_t type = tags.number(at + 2, 2);
    const bool one = tags.number(at + 4, 4) == 1 && (type == Tags::kShort || type == Tags::kLong);
    if (tags.number(at, 2) == Tags::kOrientation && one) {
      const std::uint32_t value = tags.number(at + 8, type == Tags::kShort ? 2 : 4);
      return value <= 8 ? static_cast<int>(value) : 0;
    }
  }
  return 0;
}

// As an attribute or as an element: tiff:Orientation="6", tiff:Orientation>6.
int in_xmp(std::string_view text) noexcept {
  constexpr std::string_view kName = "tiff:Orientation";
  for (std::size_t at = text.find(kName); at != std::string_view::npos; at = text.find(kName, at + 1)) {
    std::string_view rest = text.substr(at + kName.size());
    if (rest.starts_with("=\"") || rest.starts_with("='")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with(">")) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '1' && rest[0] <= '8') {
      return rest[0] - '0';
    }
  }
  return 0;
}

}  // namespace

int find_orientation(std::string_view exif, std::string_view xmp) noexcept {
  int found = in_exif(Tags(exif));
  if (found == 0) {
    found = in_xmp(xmp);
  }
  return found == 0 ? 1 : found;
}

}  // namespace bindrt::prepare
