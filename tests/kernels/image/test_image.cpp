// The image op against its definition, at every level and with any number of threads.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/image/image.h"
#include "kernels/resize/antialias.h"
#include "kernels/resize/square.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt::kernels;
using Bytes = std::vector<std::uint8_t>;

struct Layout {
  PixelLayout layout;
  std::int32_t offset[3];  // of R, G, B in a pixel
};
constexpr Layout kLayouts[] = {{PixelLayout::kGrey, {0, 0, 0}},
                               {PixelLayout::kRgb, {0, 1, 2}},
                               {PixelLayout::kBgr, {2, 1, 0}},
                               {PixelLayout::kRgbx, {0, 1, 2}},
                               {PixelLayout::kBgrx, {2, 1, 0}}};

// A picture with `gap` bytes between rows and none after the last: the sanitizer sees a step too far.
struct Sample {
  Bytes memory;
  Picture picture;
  Layout layout;

  Sample(std::int32_t width, std::int32_t height, Layout of, std::int32_t gap, std::uint32_t seed)
      : picture{nullptr, width, height, 0, of.layout}, layout(of) {
    const std::int64_t row = std::int64_t{width} * pixel_bytes(of.layout);
    picture.row_stride = row + gap;
    memory.resize(static_cast<std::size_t>(picture.row_stride * (height - 1) + row));
    std::mt19937 random(seed);
    for (std::uint8_t& byte : memory) {
      byte = static_cast<std::uint8_t>(seed % 3 == 0 ? (random() % 2) * 255 : random());
    }
    picture.pixels = memory.data();
  }

  std::int32_t at(std::int32_t x, std::int32_t y, int channel) const {
    return picture.pixels[y * picture.row_stride + std::ptrdiff_t{x} * pixel_bytes(layout.layout) +
                          layout.offset[channel]];
  }
};

std::uint8_t rounded(std::int64_t sum) {
  return static_cast<std::uint8_t>(
      std::clamp<std::int64_t>((sum + (1 << (kFixedBits - 1))) >> kFixedBits, 0, 255));
}

// The definition, in whole numbers: across, rounded to 8 bits, then down.
Bytes reference(const Sample& sample, std::int32_t side) {
  const SquareAxes axes =
      centre_square(sample.picture.width, sample.picture.height, side, ResizeFilter::kBicubic);
  const auto across = antialias_taps(axes.across);
  const auto down = antialias_taps(axes.down);
  const int channels = sample.layout.layout == PixelLayout::kGrey ? 1 : 3;
  Bytes out;
  for (std::int32_t y = 0; y < side; ++y) {
    for (std::int32_t x = 0; x < side; ++x) {
      for (int channel = 0; channel < channels; ++channel) {
        const auto i = static_cast<std::size_t>(x), j = static_cast<std::size_t>(y);
        std::int64_t sum = 0;
        for (std::int32_t v = 0; v < down->lengths[j]; ++v) {
          std::int64_t row = 0;
          for (std::int32_t u = 0; u < across->lengths[i]; ++u) {
            row += std::int64_t{across->fixed[i * static_cast<std::size_t>(across->width) +
                                              static_cast<std::size_t>(u)]} *
                   sample.at(across->begins[i] + u, down->begins[j] + v, channel);
          }
          sum +=
              std::int64_t{
                  down->fixed[j * static_cast<std::size_t>(down->width) + static_cast<std::size_t>(v)]} *
              rounded(row);
        }
        out.push_back(rounded(sum));
      }
    }
  }
  return out;
}

Bytes resized(const Picture& picture, std::int32_t side, int threads) {
  const std::size_t channels = picture.layout == PixelLayout::kGrey ? 1 : 3;
  Bytes out(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * channels);
  CHECK(image_to_bytes(picture, side, out.data(), threads));
  return out;
}

constexpr CpuLevel kLevels[] = {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512};

void every_level_is_the_definition() {
  const std::int32_t sizes[][2] = {{1, 1},   {1, 2},   {2, 1},  {3, 5},    {17, 9},  {16, 16},
                                   {64, 48}, {63, 31}, {90, 7}, {7, 2000}, {400, 6}, {130, 150}};
  std::uint32_t seed = 0;
  for (const auto& size : sizes) {
    for (const Layout& layout : kLayouts) {
      for (const std::int32_t side : {1, 20, 33}) {
        ++seed;
        const Sample sample(size[0], size[1], layout, static_cast<std::int32_t>(seed % 7), seed);
        const Bytes want = reference(sample, side);
        for (const CpuLevel level : kLevels) {
          limit_cpu_level(level);
          CHECK(resized(sample.picture, side, 1) == want);
        }
      }
    }
  }
}

void long_pictures_stay_small() {
  for (const bool tall : {false, true}) {
    const Sample line(tall ? 1 : 100000, tall ? 100000 : 1, kLayouts[1], 0, 3);
    const Bytes want = reference(line, 24);
    for (const CpuLevel level : kLevels) {
      limit_cpu_level(level);
      CHECK(resized(line.picture, 24, 2) == want);
    }
  }
}

void rows_may_run_backwards() {
  limit_cpu_level(CpuLevel::kAvx512);
  const Sample sample(40, 30, kLayouts[1], 5, 4);
  Picture turned = sample.picture;
  turned.pixels += 29 * turned.row_stride;
  turned.row_stride = -turned.row_stride;
  Bytes upright(resized(sample.picture, 30, 1));
  const Bytes got = resized(turned, 30, 1);
  for (std::size_t y = 0; y < 30; ++y) {  // the filter is even, so the result is turned as well
    for (std::size_t i = 0; i < 90; ++i) {
      CHECK(std::abs(got[y * 90 + i] - upright[(29 - y) * 90 + i]) <= 1);  // but for rounding of halves
    }
  }
}

void threads_agree() {
  limit_cpu_level(CpuLevel::kAvx512);
  const Sample sample(333, 250, kLayouts[3], 0, 5);
  const Bytes want = resized(sample.picture, kPictureSide, 1);
  for (const int threads : {2, 3, 8, 1000}) {
    CHECK(resized(sample.picture, kPictureSide, threads) == want);
  }
}

template <class Number>
std::vector<Number> input(const Picture& picture, const ByteScale& scale, std::int32_t side) {
  const OutType type = sizeof(Number) == 4 ? OutType::kFloat32 : OutType::kFloat16;
  std::vector<Number> out(static_cast<std::size_t>(scale.planes * side * side));
  CHECK(image_to_input(picture, scale, side, type, out.data(), 1));
  return out;
}

void numbers_are_scaled_bytes() {
  for (const Layout& layout : kLayouts) {
    const Sample sample(50, 41, layout, 0, 6);
    const std::int32_t side = 21;
    const Bytes bytes = resized(sample.picture, side, 1);
    const int channels = layout.layout == PixelLayout::kGrey ? 1 : 3;
    const auto floats = input<float>(sample.picture, kClipScale, side);
    const auto halves = input<std::uint16_t>(sample.picture, kClipScale, side);
    for (std::size_t i = 0; i < floats.size(); ++i) {
      const std::size_t plane = i / (21 * 21), pixel = i % (21 * 21);
      const std::uint8_t byte =
          bytes[pixel * static_cast<std::size_t>(channels) + (channels == 1 ? 0 : plane)];
      const double value = (byte / 255.0 - static_cast<double>(kClipScale.mean[plane])) /
                           static_cast<double>(kClipScale.deviation[plane]);
      CHECK_NEAR(static_cast<double>(floats[i]), value, 4e-7);
      CHECK(halves[i] == to_half(floats[i]));
    }
  }
  const Sample grey(50, 41, kLayouts[0], 0, 6);
  CHECK(input<float>(grey.picture, kUnitScale, 1)[0] ==
        static_cast<float>(resized(grey.picture, 1, 1)[0]) / 255.0F);
}

// Rows as a decoder gives them: a buffer that is used again, filled with something else in between.
class Decoder final : public RowSource {
 public:
  Decoder(const Sample& sample, const ImageWindow& window, std::int32_t fail_after)
      : sample_(sample), window_(window), fail_after_(fail_after) {
    readable = std::int64_t{window.columns} * pixel_bytes(sample.layout.layout);
  }
  bool next(std::int32_t count, const std::uint8_t** rows) noexcept override {
    CHECK(count >= 1 && count <= 16 && done + count <= window_.rows);
    if (done >= fail_after_) {
      return false;
    }
    buffer_.assign(static_cast<std::size_t>(readable * count), 77);
    for (std::int32_t i = 0; i < count; ++i, ++done) {
      rows[i] = buffer_.data() + i * readable;
      std::copy_n(sample_.picture.pixels + (window_.first_row + done) * sample_.picture.row_stride +
                      std::ptrdiff_t{window_.first_column} * pixel_bytes(sample_.layout.layout),
                  readable, buffer_.data() + i * readable);
    }
    return true;
  }
  std::int32_t done = 0;

 private:
  const Sample& sample_;
  const ImageWindow& window_;
  std::int32_t fail_after_;
  Bytes buffer_;
};

void streams_are_pictures() {
  const std::int32_t sizes[][2] = {{300, 200}, {200, 300}, {5, 900}, {900, 5}, {1, 1}};
  for (const auto& size : sizes) {
    const Sample sample(size[0], size[1], kLayouts[1], 0, 8);
    ImageWindow window{};
    CHECK(image_window(size[0], size[1], 24, window));
    CHECK(window.first_column + window.columns <= size[0] && window.first_row + window.rows <= size[1]);
    Decoder decoder(sample, window, 1000000);
    std::vector<float> out(3 * 24 * 24);
    CHECK(image_to_input(size[0], size[1], PixelLayout::kRgb, decoder, kClipScale, 24, OutType::kFloat32,
                         out.data()));
    CHECK(decoder.done == window.rows);
    CHECK(out == input<float>(sample.picture, kClipScale, 24));
    Decoder broken(sample, window, (window.rows - 1) / 16 * 16);  // at the last block
    CHECK(!image_to_input(size[0], size[1], PixelLayout::kRgb, broken, kClipScale, 24, OutType::kFloat32,
                          out.data()));
  }
}

}  // namespace

int main() {
  every_level_is_the_definition();
  long_pictures_stay_small();
  rows_may_run_backwards();
  threads_agree();
  numbers_are_scaled_bytes();
  streams_are_pictures();
  return bindrt::testing::finish();
}
