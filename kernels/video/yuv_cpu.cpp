// Converts YUV pictures to RGB on the CPU.
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/base/dispatch.h"
#include "kernels/base/parallel.h"
#include "kernels/base/scratch.h"
#include "kernels/video/yuv.h"

namespace bindrt::kernels {
namespace {

// A row's pixels [begin, end), `begin` even, from pointers to the row's first pixel.
struct Row {
  const std::uint8_t* y;
  const std::uint8_t* u;  // for NV12: the interleaved samples
  const std::uint8_t* v;
  std::int32_t begin;
  std::int32_t end;
};

template <bool kInterleaved>
BINDRT_INLINE void pack_yuv(const YuvMatrix& shared, const Row& row, std::uint32_t* out) {
  const YuvMatrix matrix = shared;  // a copy of its own, that `out` cannot be thought to alias
  const std::uint8_t* const y = row.y + row.begin;
  const std::uint8_t* const u = row.u + (kInterleaved ? row.begin : row.begin / 2);
  const std::uint8_t* const v = kInterleaved ? u + 1 : row.v + row.begin / 2;
  constexpr std::int32_t kStep = kInterleaved ? 2 : 1;
  const std::int32_t count = row.end - row.begin;
  for (std::int32_t i = 0; i < count / 2; ++i) {
    const ChromaShift shift = yuv_chroma(matrix, u[i * kStep], v[i * kStep]);
    out[2 * i] = packed_rgb(yuv_luma(matrix, y[2 * i]), shift);
    out[2 * i + 1] = packed_rgb(yuv_luma(matrix, y[2 * i + 1]), shift);
  }
  if (count % 2 != 0) {
    const std::int32_t last = count / 2;
    const ChromaShift shift = yuv_chroma(matrix, u[last * kStep], v[last * kStep]);
    out[count - 1] = packed_rgb(yuv_luma(matrix, y[count - 1]), shift);
  }
}

using PackYuv = void (*)(const YuvMatrix&, const Row&, std::uint32_t*);

template <bool kInterleaved>
void pack_yuv_baseline(const YuvMatrix& matrix, const Row& row, std::uint32_t* out) {
  pack_yuv<kInterleaved>(matrix, row, out);
}
template <bool kInterleaved>
BINDRT_AVX2 void pack_yuv_avx2(const YuvMatrix& matrix, const Row& row, std::uint32_t* out) {
  pack_yuv<kInterleaved>(matrix, row, out);
}
template <bool kInterleaved>
BINDRT_AVX512 void pack_yuv_avx512(const YuvMatrix& matrix, const Row& row, std::uint32_t* out) {
  pack_yuv<kInterleaved>(matrix, row, out);
}

template <bool kInterleaved>
PackYuv chosen() noexcept {
  return choose<PackYuv>(&pack_yuv_baseline<kInterleaved>, &pack_yuv_avx2<kInterleaved>,
                         &pack_yuv_avx512<kInterleaved>);
}

void pack_rgb(const std::uint8_t* rgb, std::int32_t count, std::uint32_t* out) noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    const std::uint8_t* const pixel = rgb + static_cast<std::int64_t>(i) * 3;
    out[i] = static_cast<std::uint32_t>(pixel[0]) | static_cast<std::uint32_t>(pixel[1]) << 8 |
             static_cast<std::uint32_t>(pixel[2]) << 16;
  }
}

void unpack_rgb(const std::uint32_t* packed, std::int32_t count, std::uint8_t* rgb) noexcept {
  for (std::int32_t i = 0; i + 1 < count; ++i) {
    std::memcpy(rgb + static_cast<std::int64_t>(i) * 3, packed + i, 4);  // the next pixel overwrites the 4th
  }
  std::memcpy(rgb + static_cast<std::int64_t>(count - 1) * 3, packed + count - 1, 3);
}

std::int32_t factor(double value) noexcept { return static_cast<std::int32_t>(std::lround(value * 8192.0)); }

struct LumaShares {
  double red;
  double blue;
};

LumaShares luma_shares(YuvStandard standard) noexcept {
  switch (standard) {
    case YuvStandard::kBt709:
      return {0.2126, 0.0722};
    case YuvStandard::kSmpte240m:
      return {0.212, 0.087};
    case YuvStandard::kBt2020:
      return {0.2627, 0.0593};
    case YuvStandard::kBt601:
      break;
  }
  return {0.299, 0.114};
}

}  // namespace

YuvMatrix yuv_matrix(YuvStandard standard, bool full) noexcept {
  const auto [red, blue] = luma_shares(standard);
  const double green = 1.0 - red - blue;
  const double luma = full ? 1.0 : 255.0 / 219.0;
  const double chroma = full ? 1.0 : 255.0 / 224.0;
  const double v_to_red = 2.0 * (1.0 - red) * chroma;
  const double u_to_blue = 2.0 * (1.0 - blue) * chroma;
  return {full ? 0 : 128,
          factor(luma),
          factor(v_to_red),
          factor(u_to_blue * blue / green),
          factor(v_to_red * red / green),
          factor(u_to_blue)};
}

void pack_row(const DecodedPicture& picture, std::int32_t row, std::int32_t begin, std::int32_t end,
              std::uint32_t* out) noexcept {
  const std::uint8_t* const first = picture.planes[0] + row * picture.strides[0];
  if (picture.format == PixelFormat::kRgb24) {
    pack_rgb(first + static_cast<std::int64_t>(begin) * 3, end - begin, out);
    return;
  }
  const std::uint8_t* const second = picture.planes[1] + (row / 2) * picture.strides[1];
  if (picture.format == PixelFormat::kNv12) {
    chosen<true>()(picture.matrix, {first, second, nullptr, begin, end}, out);
    return;
  }
  const std::uint8_t* const third = picture.planes[2] + (row / 2) * picture.strides[2];
  chosen<false>()(picture.matrix, {first, second, third, begin, end}, out);
}

bool picture_to_rgb(const DecodedPicture& picture, std::uint8_t* rgb, std::int64_t stride,
                    int threads) noexcept {
  std::atomic<bool> enough{true};
  parallel_for(picture.height, 16, threads, [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch<std::uint32_t> scratch;
    std::uint32_t* const packed = scratch.get(static_cast<std::size_t>(picture.width));
    if (packed == nullptr) {
      enough.store(false, std::memory_order_relaxed);
      return;
    }
    for (std::int64_t row = begin; row < end; ++row) {
      pack_row(picture, static_cast<std::int32_t>(row), 0, picture.width, packed);
      unpack_rgb(packed, picture.width, rgb + row * stride);
    }
    scratch.trim();
  });
  return enough.load(std::memory_order_relaxed);
}

}  // namespace bindrt::kernels
