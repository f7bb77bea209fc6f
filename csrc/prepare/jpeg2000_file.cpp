// Walks the boxes and markers of a JPEG 2000 file (ISO/IEC 15444-1, annexes A and I).
#include "csrc/prepare/jpeg2000_file.h"

#include <algorithm>
#include <bitset>
#include <iterator>
#include <limits>
#include <string_view>

namespace bindrt::prepare {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\0\0\0\x0CjP  \r\n\x87\n"sv;
constexpr std::string_view kCodestream = "\xFF\x4F\xFF\x51"sv;  // its start, and the segment of sizes
constexpr std::uint32_t kSize = 0xFF51, kCoding = 0xFF52, kSteps = 0xFF5C, kComment = 0xFF64;
constexpr std::uint32_t kLengths[] = {0xFF55, 0xFF57, 0xFF58};  // of parts and packets: nobody needs them
constexpr std::uint32_t kTile = 0xFF90, kData = 0xFF93, kEnd = 0xFFD9;
constexpr std::size_t kMarker = 2;
constexpr std::size_t kTileHeader = 12;  // bytes of a tile part's first segment, with its marker
constexpr std::uint32_t kColours = 3;
constexpr std::uint32_t kMostTiles = 65535;
constexpr std::uint32_t kMostLayers = 32;  // that NVIDIA's decoder takes
constexpr std::uint32_t kRgb = 16;         // of the colour spaces that have a number

struct Size {
  std::uint32_t width = 0, height = 0;
};

// Bytes in an order, read from the front; what is not there is 0, and `good` says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : left_(bytes) {}

  bool good() const noexcept { return good_; }
  bool empty() const noexcept { return left_.empty(); }

  std::uint32_t number(std::size_t bytes) noexcept {
    std::uint32_t value = 0;
    for (const char each : take(bytes)) {
      value = value << 8 | static_cast<std::uint8_t>(each);
    }
    return value;
  }

  std::string_view take(std::size_t bytes) noexcept {
    if (bytes > left_.size()) {
      good_ = false;
      left_ = {};
      return {};
    }
    const std::string_view taken = left_.substr(0, bytes);
    left_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest() noexcept { return take(left_.size()); }

 private:
  std::string_view left_;
  bool good_ = true;
};

struct Box {
  std::string_view name;
  std::string_view content;
};

// False at the end, and for a box that is not all there.
bool next_box(Reader& bytes, Box& box) noexcept {
  constexpr std::uint32_t kHeader = 8;
  if (bytes.empty()) {
    return false;
  }
  std::uint32_t length = bytes.number(4);
  box.name = bytes.take(4);
  if (length == 1) {  // eight bytes of length follow
    const std::uint32_t high = bytes.number(4);
    length = bytes.number(4);
    if (high != 0 || length < 2 * kHeader) {
      return false;
    }
    box.content = bytes.take(length - 2 * kHeader);
  } else if (length == 0) {
    box.content = bytes.rest();
  } else {
    box.content = length < kHeader ? std::string_view() : bytes.take(length - kHeader);
    return length >= kHeader && bytes.good();
  }
  return bytes.good();
}

// What a JP2 file says of its picture: its size, if it is an ordinary one.
std::optional<Size> read_header(std::string_view content) noexcept {
  Reader boxes(content);
  Box box{};
  Size size;
  bool has_colours = false;
  while (next_box(boxes, box)) {
    Reader bytes(box.content);
    if (box.name == "ihdr" && size.width == 0) {
      size.height = bytes.number(4);
      size.width = bytes.number(4);
      const bool usual = bytes.number(2) == kColours && bytes.number(1) == 7 && bytes.number(1) == 7;
      if (!usual || size.width == 0) {
        return std::nullopt;
      }
    } else if (box.name == "colr" && !has_colours) {
      has_colours = bytes.number(1) == 1;  // by number
      bytes.number(2);
      if (!has_colours || bytes.number(4) != kRgb) {
        return std::nullopt;
      }
    } else if (box.name != "res ") {
      return std::nullopt;
    }
  }
  return boxes.good() && boxes.empty() && has_colours && size.width > 0 ? std::optional(size) : std::nullopt;
}

// The codestream of a JP2 file, and the size that stands before it.
std::optional<std::string_view> codestream_of(std::string_view file, std::optional<Size>& stated) noexcept {
  constexpr std::string_view kBeside[] = {"xml ", "uuid", "uinf", "free"};
  if (!file.starts_with(kSignature)) {
    return file;
  }
  Reader boxes(file.substr(kSignature.size()));
  Box box{};
  for (bool first = true; next_box(boxes, box); first = false) {
    if (first != (box.name == "ftyp") || (first && !box.content.starts_with("jp2 "))) {
      return std::nullopt;
    }
    if (box.name == "jp2h" && !stated) {
      stated = read_header(box.content);
      if (!stated) {
        return std::nullopt;
      }
    } else if (box.name == "jp2c") {
      return stated ? std::optional(box.content) : std::nullopt;
    } else if (!first && std::ranges::find(kBeside, box.name) == std::end(kBeside)) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

struct Grid {
  Size size;
  std::uint32_t tiles = 0;
};

std::optional<Grid> read_size(Reader bytes) noexcept {
  constexpr std::uint32_t kMostSide = std::numeric_limits<std::int32_t>::max();
  const std::uint32_t features = bytes.number(2);
  const std::uint32_t width = bytes.number(4), height = bytes.number(4);
  const bool from_zero = bytes.number(4) == 0 && bytes.number(4) == 0;
  const std::uint64_t tile_width = bytes.number(4), tile_height = bytes.number(4);
  const bool tiles_from_zero = bytes.number(4) == 0 && bytes.number(4) == 0;
  const bool usual = features <= 2 && width > 0 && width <= kMostSide && height > 0 && height <= kMostSide &&
                     from_zero && tile_width > 0 && tile_height > 0 && tiles_from_zero &&
                     bytes.number(2) == kColours;
  for (std::uint32_t i = 0; usual && i < kColours; ++i) {
    if (bytes.number(3) != 0x07'01'01) {  // 8 bits without a sign, a sample for each pixel
      return std::nullopt;
    }
  }
  if (!usual || !bytes.good() || !bytes.empty()) {
    return std::nullopt;
  }
  const std::uint64_t tiles =
      ((width + tile_width - 1) / tile_width) * ((height + tile_height - 1) / tile_height);
  return tiles <= kMostTiles ? std::optional(Grid{{width, height}, static_cast<std::uint32_t>(tiles)})
                             : std::nullopt;
}

// Code blocks without variants, wavelets of the first part of the standard.
bool is_common_coding(Reader bytes) noexcept {
  constexpr std::uint32_t kMostLevels = 32, kMostBlock = 8;  // exponents, less 2
  const std::uint32_t style = bytes.number(1);               // 1: sizes of precincts follow
  const std::uint32_t order = bytes.number(1);
  const std::uint32_t layers = bytes.number(2);
  const std::uint32_t mixed = bytes.number(1);
  const std::uint32_t levels = bytes.number(1);
  const std::uint32_t block_width = bytes.number(1), block_height = bytes.number(1);
  const std::uint32_t variants = bytes.number(1);
  const std::uint32_t wavelet = bytes.number(1);
  bytes.take(style == 1 ? levels + 1 : 0);
  return style <= 1 && order <= 4 && layers >= 1 && layers <= kMostLayers && mixed <= 1 &&
         levels <= kMostLevels && block_width <= kMostBlock && block_height <= kMostBlock &&
         block_width + block_height <= kMostBlock && variants == 0 && wavelet <= 1 && bytes.good() &&
         bytes.empty();
}

bool is_beside(std::uint32_t marker) noexcept {
  return marker == kComment || std::ranges::find(kLengths, marker) != std::end(kLengths);
}

// A segment behind its marker; false if it is not all there.
bool next_segment(Reader& bytes, std::string_view& content) noexcept {
  const std::uint32_t length = bytes.number(2);
  content = length < 2 ? std::string_view() : bytes.take(length - 2);
  return length >= 2 && bytes.good();
}

// The main header, up to the marker of the first tile.
std::optional<Grid> read_main_header(Reader& bytes) noexcept {
  std::optional<Grid> grid;
  int codings = 0;
  int steps = 0;
  bytes.take(kMarker);
  for (std::uint32_t marker = bytes.number(kMarker); marker != kTile; marker = bytes.number(kMarker)) {
    std::string_view content;
    if (!next_segment(bytes, content)) {
      return std::nullopt;
    }
    if (marker == kSize) {
      grid = grid ? std::nullopt : read_size(Reader(content));
      if (!grid) {
        return std::nullopt;
      }
    } else if (marker == kCoding && is_common_coding(Reader(content))) {
      ++codings;
    } else if (marker == kSteps) {
      ++steps;
    } else if (!is_beside(marker)) {
      return std::nullopt;
    }
  }
  return codings == 1 && steps == 1 ? grid : std::nullopt;
}

// Whether a tile part, from behind its first segment, has nothing of its own that decoding needs.
bool is_common_part(Reader bytes) noexcept {
  for (std::uint32_t marker = bytes.number(kMarker); marker != kData; marker = bytes.number(kMarker)) {
    std::string_view content;
    if (!is_beside(marker) || !next_segment(bytes, content)) {
      return false;
    }
  }
  return bytes.good();
}

// Whether each tile has a part, and the stream's end follows the last one. Behind the first one's marker.
bool has_all_tiles(Reader& bytes, std::uint32_t tiles) noexcept {
  std::bitset<kMostTiles + 1> seen;
  std::uint32_t marker = kTile;
  for (; marker == kTile; marker = bytes.number(kMarker)) {
    const bool usual = bytes.number(2) == kTileHeader - kMarker;
    const std::uint32_t tile = bytes.number(2);
    const std::uint32_t length = bytes.number(4);  // 0: up to the stream's end
    bytes.number(2);
    if (!usual || !bytes.good() || tile >= tiles || (length != 0 && length < kTileHeader)) {
      return false;
    }
    const std::string_view part = length == 0 ? bytes.rest() : bytes.take(length - kTileHeader);
    seen.set(tile);
    if (!bytes.good() || !is_common_part(Reader(part))) {
      return false;
    }
    if (length == 0) {
      return part.ends_with("\xFF\xD9"sv) && seen.count() == tiles;
    }
  }
  return bytes.good() && marker == kEnd && seen.count() == tiles;
}

}  // namespace

std::optional<kernels::EncodedPicture> common_jpeg2000(const std::uint8_t* data, std::size_t size) noexcept {
  std::optional<Size> stated;
  const auto stream = codestream_of({reinterpret_cast<const char*>(data), size}, stated);
  if (!stream || !stream->starts_with(kCodestream)) {
    return std::nullopt;
  }
  Reader bytes(*stream);
  const auto grid = read_main_header(bytes);
  if (!grid || !has_all_tiles(bytes, grid->tiles) ||
      (stated && (stated->width != grid->size.width || stated->height != grid->size.height))) {
    return std::nullopt;
  }
  return kernels::EncodedPicture{data, size, static_cast<std::int32_t>(grid->size.width),
                                 static_cast<std::int32_t>(grid->size.height),
                                 kernels::PictureCoding::kJpeg2000};
}

}  // namespace bindrt::prepare
