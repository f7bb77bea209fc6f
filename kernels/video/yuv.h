// Pictures as video decoders give them, and the conversion of their pixels to RGB.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

enum class PixelFormat : std::int32_t {
  kRgb24 = 0,    // one plane, red green blue
  kYuv420p = 1,  // planes Y, U, V; chroma of half the size, rounded up
  kNv12 = 2,     // planes Y and UV interleaved
};

enum class YuvStandard : std::int32_t { kBt601 = 0, kBt709 = 1, kSmpte240m = 2, kBt2020 = 3 };

// Factors of the conversion, times 8192.
struct YuvMatrix {
  std::int32_t luma_offset;  // 8 x the luma of black
  std::int32_t luma_scale;
  std::int32_t v_to_red;
  std::int32_t u_to_green;  // subtracted, as v_to_green is
  std::int32_t v_to_green;
  std::int32_t u_to_blue;
};

// The matrix of a standard; `full` for luma and chroma that use all of 0..255, else 16..235 and 16..240.
YuvMatrix yuv_matrix(YuvStandard standard, bool full) noexcept;

// Strides are bytes from one row to the next, of either sign; each row's pixels are adjacent.
struct DecodedPicture {
  PixelFormat format;
  std::int32_t width;   // >= 1
  std::int32_t height;  // >= 1
  const std::uint8_t* planes[3];
  std::int64_t strides[3];
  YuvMatrix matrix;  // used for YUV
};

BINDRT_HD std::int32_t chroma_size(std::int32_t luma_size) { return luma_size / 2 + luma_size % 2; }

// The upper half of a 32-bit product, rounded down, as vector instructions give it.
BINDRT_HD std::int16_t product_high(std::int16_t a, std::int16_t b) {
  return static_cast<std::int16_t>((static_cast<std::int32_t>(a) * static_cast<std::int32_t>(b)) >> 16);
}

BINDRT_HD std::int16_t yuv_luma(const YuvMatrix& matrix, std::uint8_t y) {
  return product_high(static_cast<std::int16_t>(y * 8 - matrix.luma_offset),
                      static_cast<std::int16_t>(matrix.luma_scale));
}

// What chroma adds to luma.
struct ChromaShift {
  std::int16_t red;
  std::int16_t green;
  std::int16_t blue;
};

BINDRT_HD ChromaShift yuv_chroma(const YuvMatrix& matrix, std::uint8_t u, std::uint8_t v) {
  const auto du = static_cast<std::int16_t>((u - 128) * 8);
  const auto dv = static_cast<std::int16_t>((v - 128) * 8);
  const std::int16_t green_u = product_high(du, static_cast<std::int16_t>(-matrix.u_to_green));
  const std::int16_t green_v = product_high(dv, static_cast<std::int16_t>(-matrix.v_to_green));
  return {product_high(dv, static_cast<std::int16_t>(matrix.v_to_red)),
          static_cast<std::int16_t>(green_u + green_v),
          product_high(du, static_cast<std::int16_t>(matrix.u_to_blue))};
}

BINDRT_HD std::uint32_t clamp_byte(std::int16_t value) {
  const std::int16_t positive = value < 0 ? std::int16_t{0} : value;
  return static_cast<std::uint32_t>(positive > 255 ? std::int16_t{255} : positive);
}

// Red in the lowest byte, then green, then blue.
BINDRT_HD std::uint32_t packed_rgb(std::int16_t luma, const ChromaShift& shift) {
  return clamp_byte(static_cast<std::int16_t>(luma + shift.red)) |
         clamp_byte(static_cast<std::int16_t>(luma + shift.green)) << 8 |
         clamp_byte(static_cast<std::int16_t>(luma + shift.blue)) << 16;
}

// One pixel, packed. A chroma sample serves its square of four pixels: nothing is interpolated.
BINDRT_HD std::uint32_t picture_pixel(const DecodedPicture& picture, std::int32_t row, std::int32_t column) {
  const std::uint8_t* const first = picture.planes[0] + row * picture.strides[0];
  if (picture.format == PixelFormat::kRgb24) {
    const std::uint8_t* const pixel = first + static_cast<std::int64_t>(column) * 3;
    return static_cast<std::uint32_t>(pixel[0]) | static_cast<std::uint32_t>(pixel[1]) << 8 |
           static_cast<std::uint32_t>(pixel[2]) << 16;
  }
  const std::uint8_t* const second = picture.planes[1] + (row / 2) * picture.strides[1];
  const bool interleaved = picture.format == PixelFormat::kNv12;
  const std::uint8_t u = interleaved ? second[column / 2 * 2] : second[column / 2];
  const std::uint8_t v = interleaved ? second[column / 2 * 2 + 1]
                                     : picture.planes[2][(row / 2) * picture.strides[2] + column / 2];
  return packed_rgb(yuv_luma(picture.matrix, first[column]), yuv_chroma(picture.matrix, u, v));
}

// Packs pixels [begin, end) of a row, for `begin` even; writes only those. CPU.
void pack_row(const DecodedPicture& picture, std::int32_t row, std::int32_t begin, std::int32_t end,
              std::uint32_t* out) noexcept;

// Writes the whole picture as RGB, 3 bytes a pixel, rows `stride` bytes apart. False: no memory. CPU.
bool picture_to_rgb(const DecodedPicture& picture, std::uint8_t* rgb, std::int64_t stride,
                    int threads) noexcept;

}  // namespace bindrt::kernels
