// The video op against its definition.
#include <cstddef>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/video/video.h"
#include "kernels/video/yuv.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt::kernels;
using Bytes = std::vector<std::uint8_t>;

constexpr CpuLevel kLevels[] = {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512};
constexpr PixelFormat kFormats[] = {PixelFormat::kRgb24, PixelFormat::kYuv420p, PixelFormat::kNv12};
constexpr std::int64_t kPlane = std::int64_t{kPictureSide} * kPictureSide;

std::size_t count(std::int64_t number) { return static_cast<std::size_t>(number); }

// Noise whose planes end with their last row's last byte, so that the sanitizer sees a step too far.
struct Noise {
  Bytes planes[3];
  DecodedPicture picture{};

  Noise(PixelFormat format, std::int32_t width, std::int32_t height, std::int64_t pad) {
    std::mt19937 random(static_cast<std::uint32_t>(width * 1000 + height));
    picture = {format, width, height, {}, {}, yuv_matrix(YuvStandard::kBt601, false)};
    const std::int64_t chroma = chroma_size(width);
    const bool rgb = format == PixelFormat::kRgb24;
    const bool interleaved = format == PixelFormat::kNv12;
    const std::int64_t rows[] = {rgb ? std::int64_t{width} * 3 : width, interleaved ? 2 * chroma : chroma,
                                 chroma};
    for (std::size_t i = 0; i < (rgb ? 1U : interleaved ? 2U : 3U); ++i) {
      const std::int64_t stride = rows[i] + pad;
      const std::int64_t lines = i == 0 ? height : chroma_size(height);
      planes[i].resize(count(stride * (lines - 1) + rows[i]));
      for (std::uint8_t& byte : planes[i]) {
        byte = static_cast<std::uint8_t>(random());
      }
      picture.planes[i] = planes[i].data();
      picture.strides[i] = stride;
    }
  }
};

void matrices() {
  const YuvMatrix video = yuv_matrix(YuvStandard::kBt601, false);
  CHECK(video.luma_offset == 128 && video.luma_scale == 9539 && video.v_to_red == 13075);
  CHECK(video.u_to_green == 3209 && video.v_to_green == 6660 && video.u_to_blue == 16525);
  const YuvMatrix full = yuv_matrix(YuvStandard::kBt709, true);
  CHECK(full.luma_offset == 0 && full.luma_scale == 8192 && full.v_to_red == 12901);
  CHECK(packed_rgb(yuv_luma(video, 16), yuv_chroma(video, 128, 128)) == 0U);
  CHECK(packed_rgb(yuv_luma(video, 235), yuv_chroma(video, 128, 128)) == 0xFFFFFFU);
  CHECK(packed_rgb(yuv_luma(full, 255), yuv_chroma(full, 128, 128)) == 0xFFFFFFU);
  CHECK(packed_rgb(yuv_luma(video, 255), yuv_chroma(video, 128, 255)) % 256U == 255U);  // clipped
  CHECK(packed_rgb(yuv_luma(video, 16), yuv_chroma(video, 0, 128)) >> 16 == 0U);
}

// Every size up to a few vectors, at each level, pixel by pixel.
void rgb_of_pictures() {
  for (const PixelFormat format : kFormats) {
    for (const std::int32_t width : {1, 2, 3, 15, 16, 17, 63, 64, 65, 66, 131}) {
      for (const std::int32_t height : {1, 2, 5, 16}) {
        const Noise noise(format, width, height, width % 3);
        for (const CpuLevel level : kLevels) {
          limit_cpu_level(level);
          Bytes rgb(count(std::int64_t{width} * height * 3));
          CHECK(picture_to_rgb(noise.picture, rgb.data(), std::int64_t{width} * 3, 2));
          bool same = true;
          for (std::int32_t i = 0; i < width * height; ++i) {
            const std::uint32_t want = picture_pixel(noise.picture, i / width, i % width);
            for (std::uint32_t channel = 0; channel < 3; ++channel) {
              same = same && rgb[count(i) * 3 + channel] == ((want >> (8 * channel)) & 0xFFU);
            }
          }
          CHECK(same);
        }
      }
    }
  }
}

void nv12_is_yuv420p() {
  const Noise planar(PixelFormat::kYuv420p, 37, 21, 5);
  const std::int64_t chroma = chroma_size(37);
  Bytes interleaved;
  for (std::int64_t row = 0; row < chroma_size(21); ++row) {
    for (std::int64_t column = 0; column < chroma; ++column) {
      interleaved.push_back(planar.planes[1][count(row * planar.picture.strides[1] + column)]);
      interleaved.push_back(planar.planes[2][count(row * planar.picture.strides[2] + column)]);
    }
  }
  DecodedPicture other = planar.picture;
  other.format = PixelFormat::kNv12;
  other.planes[1] = interleaved.data();
  other.strides[1] = 2 * chroma;
  Bytes a(37 * 21 * 3);
  Bytes b(37 * 21 * 3);
  CHECK(picture_to_rgb(planar.picture, a.data(), 37 * 3, 1));
  CHECK(picture_to_rgb(other, b.data(), 37 * 3, 1));
  CHECK(a == b);
}

// The packed pixel at a place of the frame after turning.
std::uint32_t turned_pixel(const DecodedPicture& frame, int turns, std::int32_t row, std::int32_t column) {
  switch (turns) {
    case 1:
      return picture_pixel(frame, column, frame.width - 1 - row);
    case 2:
      return picture_pixel(frame, frame.height - 1 - row, frame.width - 1 - column);
    case 3:
      return picture_pixel(frame, frame.height - 1 - column, row);
    default:
      return picture_pixel(frame, row, column);
  }
}

// One number of one crop, by the definition.
float number(const DecodedPicture& frame, int turns, std::int32_t crop, std::int32_t colour, std::int32_t row,
             std::int32_t column) {
  const bool sideways = turns % 2 != 0;
  const CropGeometry g =
      crop_geometry(sideways ? frame.height : frame.width, sideways ? frame.width : frame.height);
  const std::int64_t new_height = g.tall ? g.long_side : kPictureSide;
  const std::int64_t new_width = g.tall ? kPictureSide : g.long_side;
  const VideoTap y = video_tap(row + (g.tall ? g.offsets[crop] : 0), g.height,
                               static_cast<float>(g.height) / static_cast<float>(new_height));
  const VideoTap x = video_tap(column + (g.tall ? 0 : g.offsets[crop]), g.width,
                               static_cast<float>(g.width) / static_cast<float>(new_width));
  const auto value = [&](std::int32_t at_row, std::int32_t at_column) {
    const std::uint32_t packed = turned_pixel(frame, turns, at_row, at_column);
    return static_cast<float>((packed >> (8 * colour)) & 0xFFU);
  };
  const float upper = video_blend(value(y.low, x.low), value(y.low, x.high), x.weight);
  const float lower = video_blend(value(y.high, x.low), value(y.high, x.high), x.weight);
  return video_normalise(video_blend(upper, lower, y.weight), colour);
}

template <class Number>
std::vector<Number> crops(const DecodedPicture& frame, int turns, OutType type, int threads, Number fill) {
  std::vector<Number> out(count(3 * 3 * kPlane), fill);
  const CropTarget targets[] = {{0, 0}, {1, 3 * kPlane}, {2, 6 * kPlane}};
  CHECK(video_crops({frame, turns, targets, 3, out.data(), type, kPlane}, threads));
  return out;
}

// Some numbers of each crop against the definition, bit by bit, and the levels against each other.
void crops_of_sizes() {
  constexpr std::int32_t kSizes[][2] = {{1, 1},    {1, 9},    {9, 1},   {2, 3},     {224, 224}, {225, 224},
                                        {64, 48},  {48, 64},  {97, 97}, {640, 360}, {31, 500},  {500, 31},
                                        {1, 5000}, {5000, 1}, {900, 2}, {450, 449}};
  std::mt19937 random(5);
  for (const auto& [width, height] : kSizes) {
    for (const PixelFormat format : kFormats) {
      const Noise noise(format, width, height, 3);
      const int turns = static_cast<int>(random() % 4);
      limit_cpu_level(CpuLevel::kBaseline);
      const std::vector<float> want = crops(noise.picture, turns, OutType::kFloat32, 1, -99.0F);
      for (int i = 0; i < 200; ++i) {
        const auto crop = static_cast<std::int32_t>(random() % 3);
        const auto colour = static_cast<std::int32_t>(random() % 3);
        const auto row = static_cast<std::int32_t>(random() % kPictureSide);
        const auto column = static_cast<std::int32_t>(random() % kPictureSide);
        const float got = want[count((crop * 3 + colour) * kPlane + row * kPictureSide + column)];
        CHECK(got == number(noise.picture, turns, crop, colour, row, column));
      }
      for (const CpuLevel level : kLevels) {
        limit_cpu_level(level);
        CHECK(crops(noise.picture, turns, OutType::kFloat32, 2, -99.0F) == want);
        const auto halves = crops<std::uint16_t>(noise.picture, turns, OutType::kFloat16, 2, 0xFFFFU);
        bool same = true;
        for (std::size_t i = 0; i < want.size(); ++i) {
          same = same && halves[i] == to_half(want[i]);
        }
        CHECK(same);
      }
    }
  }
}

// Every turn of one picture is the definition's, everywhere.
void turns() {
  const Noise noise(PixelFormat::kYuv420p, 51, 34, 0);
  for (int turn = 0; turn < 4; ++turn) {
    const std::vector<float> got = crops(noise.picture, turn, OutType::kFloat32, 1, -99.0F);
    bool same = true;
    std::size_t at = 0;
    for (std::int32_t plane = 0; plane < 9; ++plane) {
      for (std::int32_t pixel = 0; pixel < kPlane; ++pixel, ++at) {
        same = same && got[at] == number(noise.picture, turn, plane / 3, plane % 3, pixel / kPictureSide,
                                         pixel % kPictureSide);
      }
    }
    CHECK(same);
  }
}

// What is not asked for is left alone, a crop may go to several places, colours may lie far apart.
void places() {
  const Noise noise(PixelFormat::kRgb24, 300, 200, 0);
  const std::vector<float> all = crops(noise.picture, 0, OutType::kFloat32, 1, -99.0F);
  std::vector<float> out(count(12 * kPlane), -99.0F);  // two views of two frames, colours first
  const CropTarget targets[] = {{2, kPlane}, {2, 6 * kPlane}};
  CHECK(video_crops({noise.picture, 0, targets, 2, out.data(), OutType::kFloat32, 2 * kPlane}, 1));
  for (std::int64_t plane = 0; plane < 12; ++plane) {
    const bool second = plane == 1 || plane == 3 || plane == 5;
    const bool third = plane == 6 || plane == 8 || plane == 10;
    const std::int64_t colour = plane % 6 / 2;
    bool same = true;
    for (std::int64_t i = 0; i < kPlane; ++i) {
      const float want = second || third ? all[count((6 + colour) * kPlane + i)] : -99.0F;
      same = same && out[count(plane * kPlane + i)] == want;
    }
    CHECK(same);
  }
  CHECK(video_crops({noise.picture, 0, targets, 0, out.data(), OutType::kFloat32, kPlane}, 1));
}

void many_callers() {
  const Noise noise(PixelFormat::kNv12, 130, 70, 1);
  const std::vector<float> want = crops(noise.picture, 1, OutType::kFloat32, 1, 0.0F);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&noise, &want] {
      for (int round = 0; round < 3; ++round) {
        CHECK(crops(noise.picture, 1, OutType::kFloat32, 3, 0.0F) == want);
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
}

}  // namespace

int main() {
  matrices();
  rgb_of_pictures();
  nv12_is_yuv420p();
  crops_of_sizes();
  turns();
  places();
  many_callers();
  return bindrt::testing::finish();
}
