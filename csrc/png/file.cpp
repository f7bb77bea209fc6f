// Walks the chunks of a PNG file, and refuses what Pillow may see in another way.
#include "csrc/png/file.h"

#include <cstring>

#include "csrc/png/chunk.h"

namespace bindrt::png {
namespace {

constexpr std::uint8_t kSignature[kSignatureBytes] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::int32_t kMostColours = 256;

bool read_header(const Chunk& chunk, File& file) noexcept {
  constexpr std::uint32_t kMostSide = INT32_MAX;
  const std::uint8_t* const content = chunk.content;
  if (!chunk.is("IHDR") || chunk.length != 13) {
    return false;
  }
  const std::uint32_t width = number(content);
  const std::uint32_t height = number(content + 4);
  const std::uint8_t colour = content[9];
  const bool known = colour == 0 || colour == 2 || colour == 3 || colour == 4 || colour == 6;
  const bool usual = content[10] == 0 && content[11] == 0 && content[12] == 0;  // not interlaced
  file.width = static_cast<std::int32_t>(width);
  file.height = static_cast<std::int32_t>(height);
  file.bits = content[8];
  file.colour = static_cast<Colour>(colour);
  return known && usual && width > 0 && width <= kMostSide && height > 0 && height <= kMostSide &&
         (file.bits == 8 || (file.bits == 16 && file.colour != Colour::kPalette));
}

bool read_palette(const Chunk& chunk, File& file) noexcept {
  const std::size_t colours = chunk.length / 3;
  if (file.palette != nullptr || chunk.length % 3 != 0 || colours < 1 || colours > kMostColours) {
    return false;
  }
  file.palette = chunk.content;
  file.palette_colours = static_cast<std::int32_t>(colours);
  return true;
}

// Lower case: a reader may do without it. Those of animations would make it another picture.
bool may_skip(const Chunk& chunk) noexcept {
  return chunk.kind[0] >= 'a' && chunk.kind[0] <= 'z' && !chunk.is("acTL") && !chunk.is("fcTL") &&
         !chunk.is("fdAT");
}

// Whether a chunk after the pixels says nothing of which way up they are: times, as ImageMagick writes them.
bool is_time(const Chunk& chunk) noexcept {
  constexpr char kBegins[] = "date:";
  constexpr std::size_t kMost = 256;
  const bool text = chunk.is("tEXt") && chunk.length >= sizeof kBegins && chunk.length <= kMost;
  return chunk.is("tIME") || (text && std::memcmp(chunk.content, kBegins, sizeof kBegins - 1) == 0);
}

// The chunks before the pixels; `chunk` is then the first of the pixels.
bool read_beginning(const std::uint8_t* at, const std::uint8_t* end, Chunk& chunk, File& file) noexcept {
  if (!chunk_at(at, end, chunk) || !read_header(chunk, file)) {
    return false;
  }
  while (chunk_at(chunk.end(), end, chunk)) {
    if (chunk.is("IDAT")) {
      return (file.colour == Colour::kPalette) == (file.palette != nullptr);
    }
    const bool palette = chunk.is("PLTE") && file.colour == Colour::kPalette;
    // A palette of other pictures is a hint for their display.
    if (palette ? !read_palette(chunk, file) : !chunk.is("PLTE") && !may_skip(chunk)) {
      return false;
    }
  }
  return false;
}

}  // namespace

std::int32_t File::pixel_bytes() const noexcept {
  const std::int32_t samples = colour == Colour::kRgba        ? 4
                               : colour == Colour::kRgb       ? 3
                               : colour == Colour::kGreyAlpha ? 2
                                                              : 1;
  return samples * bits / 8;
}

std::size_t File::row_bytes() const noexcept {
  return static_cast<std::size_t>(width) * static_cast<std::size_t>(pixel_bytes());
}

bool read_file(const std::uint8_t* bytes, std::size_t size, File& file) noexcept {
  file = {};
  Chunk chunk{};
  const std::uint8_t* const end = bytes + size;
  if (size < sizeof kSignature || std::memcmp(bytes, kSignature, sizeof kSignature) != 0 ||
      !read_beginning(bytes + sizeof kSignature, end, chunk, file)) {
    return false;
  }
  file.data = chunk.kind - 4;
  do {
    file.packed += chunk.length;
  } while (chunk_at(chunk.end(), end, chunk) && chunk.is("IDAT"));
  while (is_time(chunk) && chunk_at(chunk.end(), end, chunk)) {
  }
  return chunk.is("IEND");
}

const std::uint8_t* packed_pixels(const File& file, std::uint8_t* room) noexcept {
  std::size_t done = 0;
  const std::uint8_t* at = file.data;
  if (number(at) == file.packed) {
    return at + 8;
  }
  while (done < file.packed) {
    const std::size_t length = number(at);
    std::memcpy(room + done, at + 8, length);
    done += length;
    at += length + kAroundChunk;
  }
  return room;
}

}  // namespace bindrt::png
