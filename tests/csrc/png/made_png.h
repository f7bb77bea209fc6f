// PNG files of every kind that is read, with all filters and any chunks.
//
// Their image data are stored, not packed: unpacking is libdeflate's part, here functions that copy.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "csrc/png/file.h"
#include "csrc/png/library.h"
#include "tests/cpp/damage.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {

inline int copy_if_it_fits(png::Decompressor*, const void* packed, std::size_t size, void* out,
                           std::size_t room, std::size_t* unpacked) {
  if (size > room || (unpacked == nullptr && size != room)) {
    return 1;
  }
  std::memcpy(out, packed, size);
  if (unpacked != nullptr) {
    *unpacked = size;
  }
  return 0;
}

// As the PNG specification has it, a bit at a time.
inline std::uint32_t check_sum(std::uint32_t before, const void* bytes, std::size_t size) {
  std::uint32_t sum = ~before;
  for (std::size_t i = 0; i < size; ++i) {
    sum ^= static_cast<const std::uint8_t*>(bytes)[i];
    for (int bit = 0; bit < 8; ++bit) {
      sum = sum >> 1 ^ ((sum & 1) != 0 ? 0xEDB88320U : 0U);
    }
  }
  return ~sum;
}

inline png::Library copying_library() {
  return {[] { return reinterpret_cast<png::Decompressor*>(std::malloc(1)); },
          [](png::Decompressor* made) { std::free(made); }, &copy_if_it_fits, &check_sum};
}

inline void add_number(File& file, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    file.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

inline void add_chunk(File& file, const char* kind, const std::uint8_t* content, std::size_t size) {
  add_number(file, size);
  const std::size_t begin = file.size();
  file.insert(file.end(), kind, kind + 4);
  file.insert(file.end(), content, content + size);
  const bool pixels = std::strcmp(kind, "IDAT") == 0;  // whose stream has a sum of its own
  add_number(file, pixels ? 0 : check_sum(0, file.data() + begin, 4 + size));
}

// Metadata of a kind that readers look into, right or wrong.
inline void add_any_metadata(File& file, Bytes& bytes) {
  constexpr const char* kKinds[] = {"eXIf", "tEXt", "zTXt", "iTXt", "iCCP", "tRNS", "pHYs", "cHRM", "prIV"};
  constexpr const char* kNames[] = {"Title", "exif", "XML:com.adobe.xmp", "bbox", "Comment"};
  const char* const kind = bytes.one_of(kKinds);
  File content;
  if (bytes.chance(3)) {
    for (const char* at = bytes.one_of(kNames); *at != 0; ++at) {
      content.push_back(static_cast<std::uint8_t>(*at));
    }
  } else {
    const File tags = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0};
    content = bytes.chance(2) ? tags : File{};
  }
  std::mt19937 random = bytes.random();
  for (std::int64_t left = bytes.small(0, 3000); left > 0; --left) {
    content.push_back(static_cast<std::uint8_t>(random() % 2 == 0 ? 0 : random()));
  }
  add_chunk(file, kind, content.data(), content.size());
}

inline std::uint8_t guess(int filter, int left, int above, int corner) {
  const int nearest = left + above - corner;
  const int to_left = std::abs(nearest - left);
  const int to_above = std::abs(nearest - above);
  const int to_corner = std::abs(nearest - corner);
  const int paeth = to_left <= to_above && to_left <= to_corner ? left
                    : to_above <= to_corner                     ? above
                                                                : corner;
  const std::array guesses{0, left, above, (left + above) / 2, paeth};
  return static_cast<std::uint8_t>(guesses[static_cast<std::size_t>(filter)]);
}

struct MadePng {
  File file;
  std::int32_t width;
  std::int32_t height;
  png::Colour colour;
  int bits;
  int pixel_bytes;
  bool plain;  // without metadata that may be wrong
  std::vector<std::uint8_t> palette;
  std::vector<std::uint8_t> pixels;  // put back, [height, width, pixel_bytes]
};

inline MadePng make_png(Bytes& bytes) {
  MadePng made{};
  using png::Colour;
  constexpr Colour kColours[] = {Colour::kGrey, Colour::kRgb, Colour::kPalette, Colour::kGreyAlpha,
                                 Colour::kRgba};
  constexpr int kSamples[] = {1, 3, 1, 2, 4};
  const auto kind = static_cast<std::size_t>(bytes.number(0, 4));
  made.colour = kColours[kind];
  made.bits = made.colour != Colour::kPalette && bytes.chance(3) ? 16 : 8;
  made.pixel_bytes = kSamples[kind] * made.bits / 8;
  made.width = static_cast<std::int32_t>(bytes.small(1, 300));
  made.height = static_cast<std::int32_t>(bytes.small(1, 90));
  std::mt19937 random = bytes.random();
  if (made.colour == Colour::kPalette) {
    made.palette.resize(3 * 256);
    for (std::uint8_t& value : made.palette) {
      value = static_cast<std::uint8_t>(random());
    }
  }
  const auto row = static_cast<std::size_t>(made.width) * static_cast<std::size_t>(made.pixel_bytes);
  const auto step = static_cast<std::size_t>(made.pixel_bytes);
  File stored;
  made.pixels.resize(row * static_cast<std::size_t>(made.height));
  for (std::size_t at = 0; at < made.pixels.size(); ++at) {
    const std::size_t x = at % row;
    if (x == 0) {
      stored.push_back(static_cast<std::uint8_t>(random() % 5));
    }
    const int filter = stored[at / row * (row + 1)];
    const bool first_row = at < row;
    const auto value = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : random() % 3);
    stored.push_back(value);
    made.pixels[at] = static_cast<std::uint8_t>(
        value + guess(filter, x < step ? 0 : made.pixels[at - step], first_row ? 0 : made.pixels[at - row],
                      first_row || x < step ? 0 : made.pixels[at - row - step]));
  }
  made.file = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  File header;
  add_number(header, static_cast<std::size_t>(made.width));
  add_number(header, static_cast<std::size_t>(made.height));
  header.insert(header.end(),
                {static_cast<std::uint8_t>(made.bits), static_cast<std::uint8_t>(made.colour), 0, 0, 0});
  add_chunk(made.file, "IHDR", header.data(), header.size());
  if (bytes.chance(2)) {
    add_chunk(made.file, "gAMA", header.data(), 4);
  }
  made.plain = bytes.chance(2);
  for (int left = made.plain ? 0 : bytes.number(1, 4); left > 0; --left) {
    add_any_metadata(made.file, bytes);
  }
  if (!made.palette.empty()) {
    add_chunk(made.file, "PLTE", made.palette.data(), made.palette.size());
  }
  for (std::size_t done = 0; done < stored.size();) {
    if (bytes.chance(4)) {
      add_chunk(made.file, "IDAT", nullptr, 0);
    }
    const auto part = static_cast<std::size_t>(bytes.range(1, static_cast<std::int64_t>(stored.size())));
    const std::size_t size = std::min(part, stored.size() - done);
    add_chunk(made.file, "IDAT", stored.data() + done, size);
    done += size;
  }
  if (bytes.chance(3)) {
    constexpr std::uint8_t kDate[] = "date:create\0now";
    add_chunk(made.file, "tEXt", kDate, sizeof kDate);
  }
  add_chunk(made.file, "IEND", nullptr, 0);
  return made;
}

}  // namespace bindrt::stress
