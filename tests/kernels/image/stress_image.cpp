// The image op on random pictures.
#include <cmath>
#include <vector>

#include "kernels/image/image.h"
#include "kernels/resize/antialias.h"
#include "kernels/resize/square.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using kernels::AxisTaps;
using kernels::ByteScale;
using kernels::OutType;
using kernels::Picture;
using kernels::PixelLayout;

constexpr PixelLayout kLayouts[] = {PixelLayout::kGrey, PixelLayout::kRgb, PixelLayout::kBgr,
                                    PixelLayout::kRgbx, PixelLayout::kBgrx};

// A picture whose last pixel is the last byte of its memory, with rows from top to bottom or the other way.
class Pixels {
 public:
  explicit Pixels(Bytes& bytes)
      : layout_(bytes.one_of(kLayouts)),
        // Both not long: the resized picture would be what takes the time.
        width_(static_cast<std::int32_t>(bytes.small(1, bytes.chance(30) ? 3000 : 300))),
        height_(static_cast<std::int32_t>(bytes.small(1, bytes.chance(30) ? 3000 : 300))),
        stride_(std::int64_t{width_} * kernels::pixel_bytes(layout_) +
                (bytes.chance(2) ? 0 : bytes.small(0, 70))),
        memory_((height_ - 1) * stride_ + std::int64_t{width_} * kernels::pixel_bytes(layout_),
                shift_of<std::uint8_t>(bytes)) {
    std::mt19937 random = bytes.random();
    const bool extreme = bytes.chance(4);  // only black and white: the filter overshoots
    for (std::uint8_t& byte : memory_) {
      const auto value = static_cast<std::uint8_t>(random());
      byte = extreme ? (value < 128 ? 0 : 255) : value;
    }
    upside_down_ = bytes.chance(3);
  }

  Picture picture() const {
    const std::int64_t last = (height_ - 1) * stride_;
    return {memory_.data() + (upside_down_ ? last : 0), width_, height_, upside_down_ ? -stride_ : stride_,
            layout_};
  }

  // A colour of a pixel, 0 red to 2 blue.
  std::uint8_t at(std::int64_t x, std::int64_t y, int colour) const {
    const std::int64_t row = upside_down_ ? height_ - 1 - y : y;
    const bool reversed = layout_ == PixelLayout::kBgr || layout_ == PixelLayout::kBgrx;
    const int channel = layout_ == PixelLayout::kGrey ? 0 : reversed ? 2 - colour : colour;
    return memory_[row * stride_ + x * kernels::pixel_bytes(layout_) + channel];
  }

  bool grey() const { return layout_ == PixelLayout::kGrey; }

 private:
  PixelLayout layout_;
  std::int32_t width_;
  std::int32_t height_;
  std::int64_t stride_;
  Exact<std::uint8_t> memory_;
  bool upside_down_ = false;
};

std::uint8_t rounded(std::int64_t sum) {
  const std::int64_t value = (sum + (1 << (kernels::kFixedBits - 1))) >> kernels::kFixedBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// One result from the definition: pass across for each row that counts, then down.
std::uint8_t expected(const Pixels& pixels, const AxisTaps& across, const AxisTaps& down, std::size_t x,
                      std::size_t y, int colour) {
  std::int64_t sum = 0;
  for (std::int32_t j = 0; j < down.lengths[y]; ++j) {
    std::int64_t inner = 0;
    for (std::int32_t k = 0; k < across.lengths[x]; ++k) {
      const std::int64_t weight =
          across.fixed[x * static_cast<std::size_t>(across.width) + static_cast<std::size_t>(k)];
      inner += weight * pixels.at(across.begins[x] + k, down.begins[y] + j, colour);
    }
    sum += std::int64_t{rounded(inner)} *
           down.fixed[y * static_cast<std::size_t>(down.width) + static_cast<std::size_t>(j)];
  }
  return rounded(sum);
}

void check_some(const Pixels& pixels, std::int32_t side, const Exact<std::uint8_t>& out, Bytes& bytes) {
  const Picture picture = pixels.picture();
  const auto axes =
      kernels::centre_square(picture.width, picture.height, side, kernels::ResizeFilter::kBicubic);
  const auto across = kernels::antialias_taps(axes.across);
  const auto down = kernels::antialias_taps(axes.down);
  const int channels = pixels.grey() ? 1 : 3;
  for (int look = 0; look < 6; ++look) {
    const std::int64_t x = bytes.range(0, side - 1);
    const std::int64_t y = bytes.range(0, side - 1);
    const int colour = bytes.number(0, channels - 1);
    CHECK(out[(y * side + x) * channels + colour] ==
          expected(pixels, *across, *down, static_cast<std::size_t>(x), static_cast<std::size_t>(y), colour));
  }
}

// The numbers are the bytes, scaled.
bool scaled_bytes(const Out& out, const Exact<std::uint8_t>& bytes, const ByteScale& scale, std::int64_t area,
                  int channels) {
  for (std::int32_t plane = 0; plane < scale.planes; ++plane) {
    for (std::int64_t i = 0; i < area; ++i) {
      const std::uint8_t byte = bytes[i * channels + (channels == 1 ? 0 : plane)];
      if (out.number(plane * area + i) != kernels::scale_byte(scale, plane, byte)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

void one_case(Bytes& bytes) {
  const Pixels pixels(bytes);
  const Picture picture = pixels.picture();
  const auto side = static_cast<std::int32_t>(bytes.small(1, bytes.chance(20) ? 400 : 70));
  const std::int64_t area = std::int64_t{side} * side;
  const int channels = pixels.grey() ? 1 : 3;
  const int threads = bytes.number(1, 4);

  bytes.level();
  Exact<std::uint8_t> plain(area * channels, shift_of<std::uint8_t>(bytes));
  CHECK(kernels::image_to_bytes(picture, side, plain.data(), threads));
  CHECK(plain.intact());
  check_some(pixels, side, plain, bytes);

  const ByteScale& scale = pixels.grey() && bytes.chance(2) ? kernels::kUnitScale : kernels::kClipScale;
  Out numbers(OutType::kFloat32, scale.planes * area, bytes);
  bytes.level();
  CHECK(kernels::image_to_input(picture, scale, side, OutType::kFloat32, numbers.data(), threads));
  CHECK(numbers.numbers.intact());
  CHECK(scaled_bytes(numbers, plain, scale, area, channels));

  Out halves(OutType::kFloat16, scale.planes * area, bytes);
  bytes.level();
  CHECK(kernels::image_to_input(picture, scale, side, OutType::kFloat16, halves.data(), threads));
  CHECK(halves.numbers.intact());
  CHECK(halves.halves_of(numbers));
}

}  // namespace bindrt::stress
