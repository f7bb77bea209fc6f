// PNG files of every kind that is read, with all filters and any chunks, against pixels that are put back one
// by one; and damaged files, which must be read or refused.
//
// Their image data are stored, not packed: unpacking is libdeflate's part, here two functions that copy.
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "csrc/png/picture.h"
#include "kernels/image/image.h"
#include "tests/cpp/check.h"
#include "tests/csrc/png/made_png.h"

namespace bindrt::stress {
namespace {

using png::Colour;

constexpr std::int64_t kNumbers = std::int64_t{3} * kernels::kPictureSide * kernels::kPictureSide;
constexpr std::int64_t kMostPixels = 1 << 16;  // so that a changed size does not take the time
constexpr int kCases = 400;

// The bytes of the pixels as the image op takes them: grey, or red, green, blue.
std::vector<std::uint8_t> plain(const MadePng& made, int samples) {
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
  const bool good =
      png::read_input(copying_library(), data.data(), file.size(), kMostPixels, out.type, out.data());
  CHECK(out.numbers.intact());
  return good;
}

void check_input(const MadePng& made, Bytes& bytes) {
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

void check_grey(const MadePng& made) {
  png::File file{};
  CHECK(png::read_file(made.file.data(), made.file.size(), file));
  const std::int64_t count = std::int64_t{made.width} * made.height;
  Exact<std::uint8_t> out(count * (made.bits / 8));
  const bool wanted = made.colour == Colour::kGrey || (made.colour == Colour::kGreyAlpha && made.bits == 8);
  CHECK(png::read_grey(copying_library(), file, out.data()) == wanted);
  for (std::int64_t i = 0; wanted && i < count; ++i) {
    const std::uint8_t* const pixel = made.pixels.data() + i * made.pixel_bytes;
    std::uint16_t number = 0;
    std::memcpy(&number, out.data() + (made.bits / 8) * i, static_cast<std::size_t>(made.bits / 8));
    const int expected = made.bits == 16 ? pixel[0] << 8 | pixel[1] : pixel[0];
    CHECK((made.bits == 16 ? number : out[i]) == expected);
  }
}

void check_damaged(const File& file, Bytes& bytes) {
  Out out(kernels::OutType::kFloat32, kNumbers, bytes);
  read(damaged(file, bytes, 60, 20), out);
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
    const stress::MadePng made = stress::make_png(bytes);
    stress::check_input(made, bytes);
    stress::check_grey(made);
    for (int damage = 0; damage < 4; ++damage) {
      stress::check_damaged(made.file, bytes);
    }
  }
  return testing::finish();
}
