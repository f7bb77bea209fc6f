// Looks for one tag in the first directory of EXIF, and for one word in XMP.
#include "csrc/prepare/orientation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bindrt::prepare {
namespace {

constexpr std::size_t kHeader = 8;  // bytes before the first directory, at the least
constexpr std::size_t kEntry = 12;  // bytes of an entry in a directory
constexpr std::uint32_t kOrientation = 0x0112;
constexpr std::uint32_t kShort = 3, kLong = 4;  // types of a value

class Tags {
 public:
  explicit Tags(std::string_view bytes) noexcept : bytes_(bytes), big_(bytes.starts_with("MM")) {}

  bool usual() const noexcept { return bytes_.size() >= kHeader && (big_ || bytes_.starts_with("II")); }
  std::size_t size() const noexcept { return bytes_.size(); }

  std::uint32_t number(std::size_t at, std::size_t bytes) const noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value = value << 8 | static_cast<std::uint8_t>(bytes_[at + (big_ ? i : bytes - 1 - i)]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_;
};

int in_exif(const Tags& tags) noexcept {
  if (!tags.usual()) {
    return 0;
  }
  const std::size_t start = tags.number(4, 4);
  if (start + 2 > tags.size()) {
    return 0;
  }
  const std::size_t end = std::min(start + 2 + tags.number(start, 2) * kEntry, tags.size());
  for (std::size_t at = start + 2; at < end && at + kEntry <= tags.size(); at += kEntry) {
    const std::uint32_t type = tags.number(at + 2, 2);
    const bool one = tags.number(at + 4, 4) == 1 && (type == kShort || type == kLong);
    if (tags.number(at, 2) == kOrientation && one) {
      const std::uint32_t value = tags.number(at + 8, type == kShort ? 2 : 4);
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
