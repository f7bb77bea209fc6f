// Knows the containers, and looks through the first blocks of Matroska files.
#include "csrc/video/claims.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "csrc/video/claims_mp4.h"

namespace bindrt::video {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kFirstBoxes[] = {"ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"};
// Brands of pictures: files with these are no videos.
constexpr std::string_view kPictures[] = {"avif", "avis", "heic", "heix", "heim", "heis",
                                          "hevc", "hevx", "heif", "mif1", "mif2", "msf1"};

constexpr std::uint64_t kSegment = 0x18538067;
constexpr std::uint64_t kCluster = 0x1F43B675;
constexpr std::uint64_t kGroup = 0xA0;
constexpr std::uint64_t kSimpleBlock = 0xA3;
constexpr std::uint64_t kBlock = 0xA1;
constexpr std::int64_t kLooked = std::int64_t{8} << 20;  // bytes; FFmpeg looks through 5 MB at most
constexpr std::int64_t kFree = 10'000;                   // packets at the start
constexpr std::int64_t kLeast = 16;                      // bytes each has on average beyond them
constexpr std::uint8_t kLaced = 0x06;                    // in the flags of a block
constexpr std::size_t kHead = 24;  // bytes that hold an element's number and length, and a block's head

// A number whose first set bit tells how many bytes it takes.
struct Coded {
  std::uint64_t value = 0;
  std::size_t width = 0;  // 0: it is none
};

template <class Range>
bool holds(const Range& known, std::string_view name) {
  return std::ranges::find(known, name) != std::ranges::end(known);
}

Coded coded(const std::uint8_t* bytes, std::size_t size, std::size_t at, bool keep_mark) noexcept {
  if (at >= size || bytes[at] == 0) {
    return {};
  }
  const auto width = static_cast<std::size_t>(std::countl_zero(bytes[at])) + 1;
  std::uint64_t value = 0;
  for (std::size_t i = at; i < std::min(at + width, size); ++i) {
    value = value << 8 | bytes[i];
  }
  return {keep_mark ? value : value & ((std::uint64_t{1} << 7 * width) - 1), width};
}

// Packets of a block, from its first bytes.
std::int64_t packets_of(const std::uint8_t* block, std::size_t size) noexcept {
  const std::size_t flags = coded(block, size, 0, false).width + 2;
  return flags + 1 < size && (block[flags] & kLaced) != 0 ? std::int64_t{block[flags + 1]} + 1 : 1;
}

// Counts the packets of the first megabytes: one block may hold up to 256.
bool matroska_holds(const audio::Input& input, std::int64_t most) {
  const std::int64_t end = std::min(input.size(), kLooked);
  std::int64_t packets = 0;
  for (std::int64_t at = 0; at < end;) {
    std::array<std::uint8_t, kHead> head;
    const auto size = static_cast<std::size_t>(input.read(at, head.data(), kHead));
    const Coded number = coded(head.data(), size, 0, true);
    const Coded length = coded(head.data(), size, number.width, false);
    if (number.width == 0 || length.width == 0) {
      return true;
    }
    const std::size_t width = number.width + length.width;
    at += static_cast<std::int64_t>(width);
    if (number.value == kSegment || number.value == kCluster || number.value == kGroup) {
      continue;
    }
    if ((number.value == kSimpleBlock || number.value == kBlock) && width < size) {
      packets += packets_of(head.data() + width, size - width);
      if (packets > std::min(kFree + at / kLeast, most)) {
        return false;
      }
    }
    if (length.value > static_cast<std::uint64_t>(end)) {
      return true;
    }
    at += static_cast<std::int64_t>(length.value);
  }
  return true;
}

}  // namespace

std::optional<Kind> kind_of(const audio::Input& input) {
  std::array<char, 12> bytes{};
  const std::string_view head(bytes.data(),
                              static_cast<std::size_t>(input.read(0, bytes.data(), bytes.size())));
  if (head.starts_with("\x1A\x45\xDF\xA3"sv)) {
    return Kind::kMatroska;
  }
  // A first box of 16 MB or more could begin as another format does, and one of 256 bytes as an icon.
  const bool is_box = head.size() == bytes.size() && head[0] == '\0' && !head.starts_with("\0\0\1\0"sv);
  const std::string_view box = is_box ? head.substr(4, 4) : "";
  if (!holds(kFirstBoxes, box) || (box == "ftyp" && holds(kPictures, head.substr(8, 4)))) {
    return std::nullopt;
  }
  return Kind::kMp4;
}

bool holds_its_claims(const audio::Input& input, Kind kind, std::int64_t most_packets) {
  return kind == Kind::kMp4 ? mp4_holds(input, most_packets) : matroska_holds(input, most_packets);
}

}  // namespace bindrt::video
