// The second pass of the resize that depth and thermal share, along columns.
#include "kernels/map/map_square.h"

#include "kernels/base/half.h"
#include "kernels/base/parallel.h"
#include "kernels/resize/square.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kGrain = 16;  // output rows a thread takes at a time

struct FinishCall {
  const AxisTaps* down;
  const float* middle;
  const SquareFinish* finish;
  OutType out_type;
  void* out;
};

// Columns [x, x + 4 N) of one output row.
template <int N>
BINDRT_INLINE void sum_down(const float* from, const double* weights, std::int32_t length,
                            const SquareFinish& finish, float* out) {
  using Doubles = simd::Double<N>;
  using Floats = simd::Float<N>;
  constexpr int kParts = 4;
  Doubles sum[kParts] = {};
  for (std::int32_t k = 0; k < length; ++k, from += kPictureSide) {
    for (int part = 0; part < kParts; ++part) {
      const auto value = simd::load<Floats>(from + part * N);
      sum[part] += weights[k] * __builtin_convertvector(value, Doubles);
    }
  }
  for (int part = 0; part < kParts; ++part) {
    Doubles value = sum[part] * finish.gain + finish.offset;
    value = value < finish.low ? Doubles{} + finish.low : value;
    value = value > finish.high ? Doubles{} + finish.high : value;
    simd::store(out + part * N, __builtin_convertvector(value, Floats));
  }
}

template <int N>
BINDRT_INLINE void finish_rows(const FinishCall& call, std::int64_t begin, std::int64_t end) {
  const AxisTaps& down = *call.down;
  float row[kPictureSide];
  for (std::int64_t y = begin; y < end; ++y) {
    const auto at = static_cast<std::size_t>(y);
    const float* const from = call.middle + std::int64_t{down.begins[at] - down.first_input} * kPictureSide;
    const double* const weights = down.weights.data() + y * down.width;
    for (int x = 0; x < kPictureSide; x += 4 * N) {
      sum_down<N>(from + x, weights, down.lengths[at], *call.finish, row + x);
    }
    store_row(call.out, call.out_type, y * kPictureSide, row, kPictureSide);
  }
}

void finish_baseline(const FinishCall& call, std::int64_t begin, std::int64_t end) {
  finish_rows<2>(call, begin, end);
}
BINDRT_AVX2 void finish_avx2(const FinishCall& call, std::int64_t begin, std::int64_t end) {
  finish_rows<4>(call, begin, end);
}
BINDRT_AVX512 void finish_avx512(const FinishCall& call, std::int64_t begin, std::int64_t end) {
  finish_rows<8>(call, begin, end);
}

}  // namespace

SquareTaps square_taps(const Map& map, ResizeFilter filter) noexcept {
  const SquareAxes axes = centre_square(map.width, map.height, kPictureSide, filter);
  return {antialias_taps(axes.across), antialias_taps(axes.down)};
}

void finish_square(const AxisTaps& down, const float* middle, const SquareFinish& finish, OutType out_type,
                   void* out, int threads) noexcept {
  const FinishCall call{&down, middle, &finish, out_type, out};
  const auto run = choose(&finish_baseline, &finish_avx2, &finish_avx512);
  parallel_for(kPictureSide, kGrain, threads,
               [&](std::int64_t begin, std::int64_t end) { run(call, begin, end); });
}

}  // namespace bindrt::kernels
