// The inner loops of the video op, written so that a compiler can make vector code of them.
#include "kernels/video/video_lines.h"

#include "kernels/base/dispatch.h"
#include "kernels/video/video.h"

namespace bindrt::kernels {
namespace {

BINDRT_INLINE float colour(std::uint32_t packed, std::int32_t shift) {
  return static_cast<float>(static_cast<std::int32_t>((packed >> shift) & 0xFFU));
}

BINDRT_INLINE void pixels(const std::uint32_t* packed, const LineTaps& taps, float* __restrict out,
                          std::int32_t stride) {
  float* const red = out;
  float* const green = out + stride;
  float* const blue = out + 2 * static_cast<std::int64_t>(stride);
  BINDRT_INDEPENDENT
  for (std::int32_t i = 0; i < taps.count; ++i) {
    const std::uint32_t low = packed[taps.low[i]];
    const std::uint32_t high = packed[taps.high[i]];
    const float weight = taps.weight[i];
    red[i] = video_blend(colour(low, 0), colour(high, 0), weight);
    green[i] = video_blend(colour(low, 8), colour(high, 8), weight);
    blue[i] = video_blend(colour(low, 16), colour(high, 16), weight);
  }
}

template <std::int32_t kChannel>
BINDRT_INLINE void line(const float* low, const float* high, float weight, std::int32_t count,
                        float* __restrict out) {
  for (std::int32_t i = 0; i < count; ++i) {
    out[i] = video_normalise(video_blend(low[i], high[i], weight), kChannel);
  }
}

BINDRT_INLINE void lines(const float* low, const float* high, float weight, std::int32_t count, float* out,
                         std::int32_t stride) {
  const std::int64_t step = stride;
  line<0>(low, high, weight, count, out);
  line<1>(low + step, high + step, weight, count, out + step);
  line<2>(low + 2 * step, high + 2 * step, weight, count, out + 2 * step);
}

#define BINDRT_PIXELS const std::uint32_t *packed, const LineTaps &taps, float *out, std::int32_t stride
void pixels_baseline(BINDRT_PIXELS) { pixels(packed, taps, out, stride); }
BINDRT_AVX2 void pixels_avx2(BINDRT_PIXELS) { pixels(packed, taps, out, stride); }
BINDRT_AVX512 void pixels_avx512(BINDRT_PIXELS) { pixels(packed, taps, out, stride); }
#undef BINDRT_PIXELS

#define BINDRT_LINES \
  const float *low, const float *high, float weight, std::int32_t count, float *out, std::int32_t stride
void lines_baseline(BINDRT_LINES) { lines(low, high, weight, count, out, stride); }
BINDRT_AVX2 void lines_avx2(BINDRT_LINES) { lines(low, high, weight, count, out, stride); }
BINDRT_AVX512 void lines_avx512(BINDRT_LINES) { lines(low, high, weight, count, out, stride); }
#undef BINDRT_LINES

}  // namespace

void blend_pixels(const std::uint32_t* packed, const LineTaps& taps, float* out,
                  std::int32_t stride) noexcept {
  choose(&pixels_baseline, &pixels_avx2, &pixels_avx512)(packed, taps, out, stride);
}

void blend_lines(const float* low, const float* high, float weight, std::int32_t count, float* out,
                 std::int32_t stride) noexcept {
  choose(&lines_baseline, &lines_avx2, &lines_avx512)(low, high, weight, count, out, stride);
}

}  // namespace bindrt::kernels
