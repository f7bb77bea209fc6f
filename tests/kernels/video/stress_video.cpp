// The video op on random frames.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "kernels/video/video.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using kernels::CropGeometry;
using kernels::CropRequest;
using kernels::CropTarget;
using kernels::DecodedPicture;
using kernels::kPictureSide;
using kernels::kVideoCrops;
using kernels::OutType;
using kernels::PixelFormat;
using kernels::YuvStandard;

constexpr std::int64_t kPlane = std::int64_t{kPictureSide} * kPictureSide;

// A plane whose last byte is the last of its memory, with rows from top to bottom or the other way.
struct Plane {
  Plane(Bytes& bytes, std::int32_t row_bytes, std::int32_t rows)
      : row(row_bytes),
        height(rows),
        stride(row_bytes + (bytes.chance(2) ? 0 : bytes.small(0, 70))),
        memory((rows - 1) * stride + row_bytes, shift_of<std::uint8_t>(bytes)),
        upside_down(bytes.chance(4)) {
    std::mt19937 random = bytes.random();
    const bool extreme = bytes.chance(4);
    for (std::uint8_t& byte : memory) {
      const auto value = static_cast<std::uint8_t>(random());
      byte = extreme ? (value < 128 ? 0 : 255) : value;
    }
  }

  const std::uint8_t* first() const { return memory.data() + (upside_down ? (height - 1) * stride : 0); }
  std::int64_t step() const { return upside_down ? -stride : stride; }

  std::int32_t row;
  std::int32_t height;
  std::int64_t stride;
  Exact<std::uint8_t> memory;
  bool upside_down;
};

struct Frame {
  explicit Frame(Bytes& bytes) {
    const auto size = [&bytes] {
      return static_cast<std::int32_t>(bytes.small(1, bytes.chance(60) ? 2500 : 250));
    };
    picture.format = static_cast<PixelFormat>(bytes.number(0, 2));
    picture.width = size();
    picture.height = size();
    picture.matrix = kernels::yuv_matrix(static_cast<YuvStandard>(bytes.number(0, 3)), bytes.chance(2));
    const bool rgb = picture.format == PixelFormat::kRgb24;
    add(bytes, picture.width * (rgb ? 3 : 1), picture.height);
    const std::int32_t width = kernels::chroma_size(picture.width);
    const std::int32_t height = kernels::chroma_size(picture.height);
    if (picture.format == PixelFormat::kNv12) {
      add(bytes, 2 * width, height);
    } else if (picture.format == PixelFormat::kYuv420p) {
      add(bytes, width, height);
      add(bytes, width, height);
    }
  }

  void add(Bytes& bytes, std::int32_t row_bytes, std::int32_t rows) {
    const auto at = planes.size();
    planes.push_back(std::make_unique<Plane>(bytes, row_bytes, rows));
    picture.planes[at] = planes.back()->first();
    picture.strides[at] = planes.back()->step();
  }

  DecodedPicture picture{};
  std::vector<std::unique_ptr<Plane>> planes;
};

// The places of a batch that some crops belong in, in any order and with any gaps.
struct Request {
  Request(Bytes& bytes, const Frame& frame, OutType type) {
    colour_stride = kPlane * (bytes.chance(6) ? 2 : 1);
    const std::int64_t item = 3 * colour_stride;
    const int count = bytes.chance(20) ? bytes.number(0, 6) : 1;  // batches are large: few
    for (int i = 0; i < count; ++i) {
      targets.push_back({bytes.number(0, kVideoCrops - 1), i * item});
    }
    std::shuffle(targets.begin(), targets.end(), bytes.random());
    request = {frame.picture, bytes.number(0, 3), targets.data(), count, nullptr, type, colour_stride};
    numbers = count == 0 ? 0 : (count - 1) * item + 2 * colour_stride + kPlane;
  }

  CropRequest request{};
  std::vector<CropTarget> targets;
  std::int64_t colour_stride = 0;
  std::int64_t numbers = 0;
};

// A pixel of the turned frame, as the definition sees it.
std::uint32_t turned(const CropRequest& request, std::int32_t row, std::int32_t column) {
  const std::int32_t width = request.frame.width;
  const std::int32_t height = request.frame.height;
  switch (request.quarter_turns) {
    case 1:
      return kernels::picture_pixel(request.frame, column, width - 1 - row);
    case 2:
      return kernels::picture_pixel(request.frame, height - 1 - row, width - 1 - column);
    case 3:
      return kernels::picture_pixel(request.frame, height - 1 - column, row);
    default:
      return kernels::picture_pixel(request.frame, row, column);
  }
}

double expected(const CropRequest& request, std::int32_t crop, std::int32_t y, std::int32_t x, int colour) {
  const bool sideways = request.quarter_turns % 2 == 1;
  const double width = sideways ? request.frame.height : request.frame.width;
  const double height = sideways ? request.frame.width : request.frame.height;
  const bool tall = height > width;
  const double longer = std::floor((tall ? height : width) / (tall ? width : height) * kPictureSide);
  const double rest = longer - kPictureSide;
  const double offset = crop == 0 ? 0 : crop == 1 ? std::ceil(rest / 2) : rest;
  const auto place = [](double at, double size, double resized) {
    return std::clamp((at + 0.5) * size / resized - 0.5, 0.0, size - 1);
  };
  const double row = place(y + (tall ? offset : 0), height, tall ? longer : kPictureSide);
  const double column = place(x + (tall ? 0 : offset), width, tall ? kPictureSide : longer);
  double sum = 0;
  for (int i = 0; i < 4; ++i) {
    const auto r = static_cast<std::int32_t>(std::min(std::floor(row) + i / 2, height - 1));
    const auto c = static_cast<std::int32_t>(std::min(std::floor(column) + i % 2, width - 1));
    const double down = i / 2 == 0 ? 1 - (row - std::floor(row)) : row - std::floor(row);
    const double across = i % 2 == 0 ? 1 - (column - std::floor(column)) : column - std::floor(column);
    sum += down * across * static_cast<double>(turned(request, r, c) >> (8 * colour) & 0xFF);
  }
  constexpr double kMean[] = {0.48145466, 0.4578275, 0.40821073};
  constexpr double kDeviation[] = {0.26862954, 0.26130258, 0.27577711};
  return (sum / 255 - kMean[colour]) / kDeviation[colour];
}

void check_some(const Request& it, const Out& out, Bytes& bytes) {
  for (int look = 0; look < 6 && !it.targets.empty(); ++look) {
    const CropTarget& target = it.targets[static_cast<std::size_t>(
        bytes.range(0, static_cast<std::int64_t>(it.targets.size()) - 1))];
    const int x = bytes.number(0, kPictureSide - 1);
    const int y = bytes.number(0, kPictureSide - 1);
    const int colour = bytes.number(0, 2);
    const std::int64_t at = target.place + colour * it.colour_stride + std::int64_t{y} * kPictureSide + x;
    // A place rounded to float32 is off by 1e-7 of it, and pixels of these frames differ by up to 255.
    const double size = std::max(it.request.frame.width, it.request.frame.height);
    CHECK_NEAR(static_cast<double>(out.number(at)), expected(it.request, target.crop, y, x, colour),
               1e-5 + 4e-6 * size);
  }
}

// What lies between the planes is not written to.
bool gaps_untouched(const Request& it, const Out& out, const Out& untouched) {
  std::vector<bool> written(static_cast<std::size_t>(out.count), false);
  for (const CropTarget& target : it.targets) {
    for (std::int64_t colour = 0; colour < 3; ++colour) {
      const auto from = written.begin() + (target.place + colour * it.colour_stride);
      std::fill(from, from + kPlane, true);
    }
  }
  for (std::int64_t i = 0; i < out.count; ++i) {
    if (!written[static_cast<std::size_t>(i)] &&
        std::memcmp(out.numbers.data() + 4 * i, untouched.numbers.data() + 4 * i, 4) != 0) {
      return false;
    }
  }
  return true;
}

void crops(Bytes& bytes) {
  const Frame frame(bytes);
  Request it(bytes, frame, OutType::kFloat32);
  const int threads = bytes.number(1, 4);
  Out out(OutType::kFloat32, it.numbers, bytes);
  it.request.out = out.data();
  bytes.level();
  CHECK(kernels::video_crops(it.request, threads));
  CHECK(out.numbers.intact());
  check_some(it, out, bytes);
  if (bytes.chance(16)) {
    CHECK(gaps_untouched(it, out, Out(OutType::kFloat32, it.numbers, bytes)));
  }

  Out again(OutType::kFloat32, it.numbers, bytes);
  it.request.out = again.data();
  bytes.level();
  CHECK(kernels::video_crops(it.request, bytes.number(1, 4)));
  CHECK(again.same(out));

  Out halves(OutType::kFloat16, it.numbers, bytes);
  it.request.out = halves.data();
  it.request.type = OutType::kFloat16;
  CHECK(kernels::video_crops(it.request, threads));
  for (const CropTarget& target : it.targets) {
    const std::int64_t at = target.place + bytes.range(0, 2) * it.colour_stride + bytes.range(0, kPlane - 1);
    std::uint16_t half = 0;
    std::memcpy(&half, halves.numbers.data() + 2 * at, 2);
    CHECK(half == kernels::to_half(out.number(at)));
  }
}

// Whole pictures, and parts of rows, as RGB.
void conversions(Bytes& bytes) {
  const Frame frame(bytes);
  const std::int32_t width = frame.picture.width;
  const std::int32_t height = frame.picture.height;
  const std::int64_t stride = std::int64_t{width} * 3 + bytes.small(0, 70);
  Exact<std::uint8_t> rgb((height - 1) * stride + std::int64_t{width} * 3, shift_of<std::uint8_t>(bytes));
  bytes.level();
  CHECK(kernels::picture_to_rgb(frame.picture, rgb.data(), stride, bytes.number(1, 4)));
  CHECK(rgb.intact());
  bytes.level();
  const std::int32_t row = bytes.number(0, height - 1);
  const std::int32_t begin = bytes.number(0, width - 1) / 2 * 2;
  const std::int32_t end = bytes.number(begin, width);
  Exact<std::uint32_t> packed(end - begin, shift_of<std::uint32_t>(bytes));
  kernels::pack_row(frame.picture, row, begin, end, packed.data());
  CHECK(packed.intact());
  bool good = true;
  for (std::int32_t x = begin; x < end; ++x) {
    const std::uint32_t want = kernels::picture_pixel(frame.picture, row, x);
    const std::uint8_t* const bytes_at = rgb.data() + row * stride + std::int64_t{x} * 3;
    good = good && (packed[x - begin] & 0xFFFFFF) == want;
    for (int colour = 0; colour < 3; ++colour) {
      good = good && bytes_at[colour] == (want >> (8 * colour) & 0xFF);
    }
  }
  CHECK(good);
}

}  // namespace

void one_case(Bytes& bytes) { bytes.chance(3) ? conversions(bytes) : crops(bytes); }

}  // namespace bindrt::stress
