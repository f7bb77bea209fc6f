// PNG files of every kind that is read, with all filters and any chunks, against pixels that are put back one
// by one; and damaged files, which must be read or refused.
//
// Their image data are stored, not packed: unpacking is libdeflate's part, here two functions that copy.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "csrc/png/rows.h"
#include "kernels/image/image.h"
#include "tests/cpp/check.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using File = std::vector<std::uint8_t>;
using png::Colour;

constexpr std::int64_t kNumbers = std::int64_t{3} * kernels::kPictureSide * kernels::kPictureSide;
constexpr std::int64_t kMostPixels = 1 << 16;  // so that a changed size does not take the time
constexpr int kCases = 400;

int copy_if_equal(png::Decompressor*, const void* packed, std::size_t size, void* out, std::size_t room,
                  std::size_t*) {
  if (size != room) {
    return 1;
  }
  std::memcpy(out, packed, room);
  return 0;
}

png::Library library() {
  return {[] { return reinterpret_cast<png::Decompressor*>(std::malloc(1)); },
          [](png::Decompressor* made) { std::free(made); }, &copy_if_equal};
}

void add_number(File& file, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    file.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void add_chunk(File& file, const char* kind, const std::uint8_t* content, std::size_t size) {
  add_number(file, size);
  file.insert(file.end(), kind, kind + 4);
  file.insert(file.end(), content, content + size);
  add_number(file, 0);  // check sums are not looked at: the stream of the pixels has its own
}

std::uint8_t guess(int filter, int left, int above, int corner) {
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

struct Made {
  File file;
  std::int32_t width;
  std::int32_t height;
  Colour colour;
  int bits;
  int pixel_bytes;
  std::vector<std::uint8_t> palette;
  std::vector<std::uint8_t> pixels;  // put back, [height, width, pixel_bytes]
};

Made make(Bytes& bytes) {
  Made made{};
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
  if (!made.palette.empty()) {
    add_chunk(made.file, "PLTE", made.palette.data(), made.palette.size());
  }
  for (std::size_t done = 0; done < stored.size();) {
    const auto part = static_cast<std::size_t>(bytes.range(0, static_cast<std::int64_t>(stored.size())));
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

// The bytes of the pixels as the image op takes them: grey, or red, green, blue.
std::vector<std::uint8_t> plain(const Made& made, int samples) {
  std::vector<std::uint8_t> out;
  for (std::size_t at = 0; at < made.pixels.size(); at += static_cast<std::size_t>(made.pixel_bytes)) {
    for (int i = 0; i < samples; ++i) {
      const auto sample = static_cast<std::size_t>(i);
      out.push_back(made.colour == Colour::kPalette ? made.palette[3U * made.pixels[at] + sample]
                                                    : made.pixels[at + sample * (made.bits == 16 ? 2U : 1U)]);
    }
  }
  return out;
}

bool read(const File& file, Out& out) {
  Exact<std::uint8_t> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  const bool good = png::read_input(library(), data.data(), file.size(), kMostPixels, out.type, out.data());
  CHECK(out.numbers.intact());
  return good;
}

void check_input(const Made& made, Bytes& bytes) {
  Out out(kernels::OutType::kFloat32, kNumbers, bytes);
  Out expected(kernels::OutType::kFloat32, kNumbers, bytes);
  const bool good = read(made.file, out);
  const bool grey = made.colour == Colour::kGrey || made.colour == Colour::kGreyAlpha;
  CHECK(good != (made.colour == Colour::kGrey && made.bits == 16));
  if (!good) {
    return;
  }
  const int samples = grey ? 1 : 3;
  const std::vector<std::uint8_t> pixels = plain(made, samples);
  const kernels::Picture picture{pixels.data(), made.width, made.height, std::int64_t{made.width} * samples,
                                 grey ? kernels::PixelLayout::kGrey : kernels::PixelLayout::kRgb};
  CHECK(kernels::image_to_input(picture, kernels::kClipScale, kernels::kPictureSide, out.type,
                                expected.data(), 1));
  CHECK(std::memcmp(out.data(), expected.data(), kNumbers * sizeof(float)) == 0);
}

void check_grey(const Made& made) {
  png::File file{};
  CHECK(png::read_file(made.file.data(), made.file.size(), file));
  const std::int64_t count = std::int64_t{made.width} * made.height;
  Exact<std::uint8_t> out(count * (made.bits / 8));
  const bool wanted = made.colour == Colour::kGrey || (made.colour == Colour::kGreyAlpha && made.bits == 8);
  CHECK(png::read_grey(library(), file, out.data()) == wanted);
  for (std::int64_t i = 0; wanted && i < count; ++i) {
    const std::uint8_t* const pixel = made.pixels.data() + i * made.pixel_bytes;
    std::uint16_t number = 0;
    std::memcpy(&number, out.data() + (made.bits / 8) * i, static_cast<std::size_t>(made.bits / 8));
    const int expected = made.bits == 16 ? pixel[0] << 8 | pixel[1] : pixel[0];
    CHECK((made.bits == 16 ? number : out[i]) == expected);
  }
}

// Cut, a few bytes changed, or a piece doubled or taken out. Returns whether it may still be read.
void check_damaged(File file, Bytes& bytes) {
  const auto place = [&] {
    const auto size = static_cast<std::int64_t>(file.size());
    return static_cast<std::ptrdiff_t>(
        bytes.range(0, std::min<std::int64_t>(size, bytes.chance(2) ? 60 : size) - 1));
  };
  switch (bytes.number(0, 3)) {
    case 0:
      file.resize(static_cast<std::size_t>(place()));
      break;
    case 1: {
      const std::ptrdiff_t a = place();
      const std::ptrdiff_t b = place();
      file.erase(file.begin() + std::min(a, b), file.begin() + std::max(a, b));
      break;
    }
    case 2: {
      const File piece(file.begin() + place(), file.end());
      file.insert(file.begin() + place(), piece.begin(), piece.end());
      break;
    }
    default:
      for (std::int64_t left = bytes.small(1, 20); left > 0; --left) {
        file[static_cast<std::size_t>(place())] = static_cast<std::uint8_t>(bytes.number(0, 255));
      }
  }
  Out out(kernels::OutType::kFloat32, kNumbers, bytes);
  read(file, out);
}

}  // namespace
}  // namespace bindrt::stress

int main() {
  using namespace bindrt;
  for (int i = 0; i < stress::kCases; ++i) {
    std::mt19937_64 random(static_cast<std::uint64_t>(i));
    std::array<std::uint8_t, 512> choices{};
    for (std::uint8_t& choice : choices) {
      choice = static_cast<std::uint8_t>(random() >> 32);
    }
    stress::Bytes bytes(choices.data(), choices.size());
    const stress::Made made = stress::make(bytes);
    stress::check_input(made, bytes);
    stress::check_grey(made);
    for (int damage = 0; damage < 4; ++damage) {
      stress::check_damaged(made.file, bytes);
    }
  }
  return testing::finish();
}
