// Reads the first directory of a TIFF file (revision 6.0).
#include "csrc/prepare/tiff_file.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <string_view>

#include "csrc/prepare/orientation.h"
#include "csrc/prepare/tags.h"

namespace bindrt::prepare {
namespace {

using kernels::PictureCoding;

constexpr std::uint32_t kVersion = 42;
constexpr std::size_t kValue = 8;  // where an entry has its values, or where they are
constexpr std::uint32_t kColours = 3;
constexpr std::uint32_t kMostPieces = 100'000;
constexpr std::uint32_t kMostSide = std::numeric_limits<std::int32_t>::max();

// Tags of what we need to know, in the order of `Entries::found`.
enum Known : std::size_t {
  kKind,
  kOldKind,
  kWidth,
  kHeight,
  kBits,
  kPacking,
  kColourSpace,
  kBitOrder,
  kStrips,
  kTurn,
  kSamples,
  kStripRows,
  kStripBytes,
  kPlanes,
  kPredictor,
  kTileWidth,
  kTileHeight,
  kTiles,
  kTileBytes,
  kNumbers,
  kXmp,
  kKnown
};
constexpr std::uint32_t kTags[kKnown] = {254, 255, 256, 257, 258, 259, 262, 266, 273, Tags::kOrientation,
                                         277, 278, 279, 284, 317, 322, 323, 324, 325, 339,
                                         700};
// What changes the pixels and is rare: curves, palettes, pages within pages, inks, alpha, tables of JPEG, raw
// pictures of cameras, JPEG XR.
constexpr std::uint32_t kRare[] = {301, 318, 319, 320, 330, 332, 338, 347, 50706, 48129};

struct Entry {
  std::uint32_t type = 0, count = 0;  // count 0: there is none
  std::size_t at = 0;                 // of the first value
};

class Directory {
 public:
  explicit Directory(std::string_view file) noexcept : file_(file), tags_(file) {}

  // False if it is not the only one, or says something rare.
  bool read() noexcept {
    if (!tags_.usual() || tags_.number(2, 2) != kVersion) {
      return false;
    }
    const std::size_t start = tags_.number(4, 4);
    if (start < Tags::kHeader || !has(start, 2)) {
      return false;
    }
    const std::size_t count = tags_.number(start, 2);
    const std::size_t end = start + 2 + count * Tags::kEntry;
    if (!has(end, 4) || tags_.number(end, 4) != 0) {  // where the next one is
      return false;
    }
    for (std::size_t at = start + 2; at < end; at += Tags::kEntry) {
      if (!read_entry(at)) {
        return false;
      }
    }
    return true;
  }

  bool has(Known which) const noexcept { return found_[which].count > 0; }
  std::uint32_t count(Known which) const noexcept { return found_[which].count; }

  // A value, which must be there.
  std::uint32_t value(Known which, std::uint32_t index = 0) const noexcept {
    const Entry& entry = found_[which];
    return tags_.number(entry.at + index * bytes_of(entry.type), bytes_of(entry.type));
  }

  // The only value; `otherwise` where there is none. More than one is `kNone`.
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t only(Known which, std::uint32_t otherwise = kNone) const noexcept {
    return !has(which) ? otherwise : count(which) == 1 ? value(which) : kNone;
  }

  // Whether there are `wanted` values, all of which are `number`.
  bool are_all(Known which, std::uint32_t wanted, std::uint32_t number) const noexcept {
    bool good = count(which) == wanted;
    for (std::uint32_t i = 0; good && i < wanted; ++i) {
      good = value(which, i) == number;
    }
    return good;
  }

  std::string_view xmp() const noexcept {
    const Entry& entry = found_[kXmp];
    return entry.count == 0 ? std::string_view() : file_.substr(entry.at, entry.count);
  }

  bool has(std::size_t at, std::size_t bytes) const noexcept {
    return at <= file_.size() && bytes <= file_.size() - at;
  }
  std::uint8_t byte(std::size_t at) const noexcept { return static_cast<std::uint8_t>(file_[at]); }

 private:
  static constexpr std::uint32_t kByte = 1, kAny = 7;  // types of XMP's bytes

  static std::size_t bytes_of(std::uint32_t type) noexcept {
    return type == Tags::kShort ? 2 : type == Tags::kLong ? 4 : type == kByte || type == kAny ? 1 : 0;
  }

  bool read_entry(std::size_t at) noexcept {
    const std::uint32_t tag = tags_.number(at, 2);
    if (std::ranges::find(kRare, tag) != std::end(kRare)) {
      return false;
    }
    const auto* const known = std::ranges::find(kTags, tag);
    if (known == std::end(kTags)) {
      return true;  // texts, profiles and the like
    }
    Entry& entry = found_[static_cast<std::size_t>(known - kTags)];
    if (entry.count > 0) {
      return false;  // twice
    }
    entry.type = tags_.number(at + 2, 2);
    entry.count = tags_.number(at + 4, 4);
    const std::size_t each = bytes_of(entry.type);
    const bool is_number = entry.type == Tags::kShort || entry.type == Tags::kLong;
    if (entry.count == 0 || is_number == (tag == kTags[kXmp]) || each == 0) {
      return false;
    }
    const std::size_t bytes = each * entry.count;
    entry.at = bytes <= 4 ? at + kValue : tags_.number(at + kValue, 4);
    return has(entry.at, bytes);
  }

  std::string_view file_;
  Tags tags_;
  std::array<Entry, kKnown> found_{};
};

std::optional<PictureCoding> packing_of(std::uint32_t number) noexcept {
  constexpr std::uint32_t kLzw = 5, kDeflate = 8, kOldDeflate = 32946;
  switch (number) {
    case kLzw:
      return PictureCoding::kTiffLzw;
    case kDeflate:
    case kOldDeflate:
      return PictureCoding::kTiffDeflate;
    default:
      return std::nullopt;
  }
}

// Whether a piece begins as its packing does: LZW by the code that clears its table, most significant bits
// first, which files of before 1992 have otherwise; Deflate by zlib's header.
bool begins_well(const Directory& directory, std::size_t at, PictureCoding coding) noexcept {
  const unsigned first = directory.byte(at);
  const unsigned second = directory.byte(at + 1);
  return coding == PictureCoding::kTiffLzw ? first == 0x80 && second < 0x80
                                           : first % 16 == 8 && (first * 256 + second) % 31 == 0;
}

// Whether there are `wanted` pieces, all of them in the file.
bool has_pieces(const Directory& directory, Known places, Known sizes, std::uint64_t wanted,
                PictureCoding coding) noexcept {
  if (wanted == 0 || wanted > kMostPieces || directory.count(places) != wanted ||
      directory.count(sizes) != wanted) {
    return false;
  }
  for (std::uint32_t i = 0; i < wanted; ++i) {
    const std::size_t at = directory.value(places, i);
    const std::size_t bytes = directory.value(sizes, i);
    if (at < Tags::kHeader || bytes < 2 || !directory.has(at, bytes) || !begins_well(directory, at, coding)) {
      return false;
    }
  }
  return true;
}

std::uint64_t pieces_along(std::uint64_t side, std::uint64_t piece) noexcept {
  return piece == 0 ? 0 : (side + piece - 1) / piece;
}

bool has_all_pieces(const Directory& directory, std::uint32_t width, std::uint32_t height,
                    PictureCoding coding) noexcept {
  constexpr std::uint32_t kStep = 16;  // sides of tiles are multiples of it
  const bool in_strips = directory.has(kStrips) || directory.has(kStripBytes);
  if (!directory.has(kTiles) && !directory.has(kTileBytes)) {
    const std::uint32_t rows = std::min(directory.only(kStripRows, height), height);
    return in_strips && has_pieces(directory, kStrips, kStripBytes, pieces_along(height, rows), coding);
  }
  const std::uint32_t across = directory.only(kTileWidth, 0);
  const std::uint32_t down = directory.only(kTileHeight, 0);
  return !in_strips && across % kStep == 0 && down % kStep == 0 && across <= kMostSide && down <= kMostSide &&
         has_pieces(directory, kTiles, kTileBytes, pieces_along(width, across) * pieces_along(height, down),
                    coding);
}

// Upright and whole: three colours of 8 bits, side by side.
bool has_common_pixels(const Directory& directory) noexcept {
  constexpr std::uint32_t kRgb = 2, kUnsigned = 1, kTogether = 1, kDifferences = 2;
  const std::uint32_t predictor = directory.only(kPredictor, 1);
  const bool is_unsigned = !directory.has(kNumbers) || directory.are_all(kNumbers, 1, kUnsigned) ||
                           directory.are_all(kNumbers, kColours, kUnsigned);
  return directory.only(kKind, 0) == 0 && directory.only(kOldKind, 1) == 1 &&
         directory.are_all(kBits, kColours, 8) && directory.only(kColourSpace) == kRgb &&
         directory.only(kBitOrder, 1) == 1 && directory.only(kTurn, 1) == 1 &&
         directory.only(kSamples) == kColours && directory.only(kPlanes, 1) == kTogether && is_unsigned &&
         (predictor == 1 || predictor == kDifferences) && find_orientation({}, directory.xmp()) == 1;
}

}  // namespace

std::optional<kernels::EncodedPicture> common_tiff(const std::uint8_t* data, std::size_t size) noexcept {
  Directory directory({reinterpret_cast<const char*>(data), size});
  if (!directory.read() || !has_common_pixels(directory)) {
    return std::nullopt;
  }
  const std::uint32_t width = directory.only(kWidth, 0);
  const std::uint32_t height = directory.only(kHeight, 0);
  const auto coding = packing_of(directory.only(kPacking, 0));
  if (width == 0 || width > kMostSide || height == 0 || height > kMostSide || !coding ||
      !has_all_pieces(directory, width, height, *coding)) {
    return std::nullopt;
  }
  return kernels::EncodedPicture{data, size, static_cast<std::int32_t>(width),
                                 static_cast<std::int32_t>(height), *coding};
}

}  // namespace bindrt::prepare
