// Numbers in files that are laid out as a TIFF is: EXIF among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bindrt::prepare {

class Tags {
 public:
  static constexpr std::size_t kHeader = 8;              // bytes before the first directory, at the least
  static constexpr std::size_t kEntry = 12;              // bytes of an entry in a directory
  static constexpr std::uint32_t kShort = 3, kLong = 4;  // types of a value
  static constexpr std::uint32_t kOrientation = 0x0112;

  explicit Tags(std::string_view bytes) noexcept : bytes_(bytes), big_(bytes.starts_with("MM")) {}

  bool usual() const noexcept { return bytes_.size() >= kHeader && (big_ || bytes_.starts_with("II")); }
  std::size_t size() const noexcept { return bytes_.size(); }

  // A number has 1 to 4 bytes, all of which must be there.
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

}  // namespace bindrt::prepare
