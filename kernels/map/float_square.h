// The centre square of a map, resized with antialiasing on floats as Pillow does it in mode F: along the
// rows first, sums in double, rounded to float after each pass. What depth and thermal share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "kernels/base/dispatch.h"
#include "kernels/base/scratch.h"
#include "kernels/map/map.h"
#include "kernels/resize/antialias.h"

namespace bindrt::kernels {

// The taps of both passes: only the rows and columns that the square depends on are ever looked at.
struct SquareTaps {
  std::shared_ptr<const AxisTaps> across;
  std::shared_ptr<const AxisTaps> down;

  explicit operator bool() const noexcept { return across != nullptr && down != nullptr; }
  std::int32_t rows() const noexcept { return down->last_input - down->first_input; }
  std::int32_t columns() const noexcept { return across->last_input - across->first_input; }
};

// False if there is no memory.
SquareTaps square_taps(const Map& map, ResizeFilter filter) noexcept;

// What becomes of a resized value: within low..high after value · gain + offset, in double.
struct SquareFinish {
  double gain = 1.0;
  double offset = 0.0;
  double low;
  double high;
};

// The second pass: `middle` [rows of the taps, kPictureSide] into `out` [kPictureSide, kPictureSide].
void finish_square(const AxisTaps& down, const float* middle, const SquareFinish& finish, OutType out_type,
                   void* out, int threads) noexcept;

inline constexpr int kBlockRows = 8;  // rows that the first pass takes at a time, one a lane

// Floats that `across_rows` needs for itself.
inline std::size_t across_scratch(const SquareTaps& taps) noexcept {
  const std::size_t columns = (static_cast<std::size_t>(taps.columns()) + 3) / 4 * 4;
  return kBlockRows * (2 * columns + kPictureSide);
}

namespace detail {

template <int N>
struct Lanes {
  typedef double Doubles __attribute__((vector_size(N * sizeof(double))));
  typedef float Floats __attribute__((vector_size(N * sizeof(float))));
};
typedef float Quad __attribute__((vector_size(4 * sizeof(float))));

// Four rows of four floats to four columns.
BINDRT_INLINE void turn_quad(const float* in, std::int64_t in_stride, float* out, std::int64_t out_stride) {
  Quad a, b, c, d;
  std::memcpy(&a, in, sizeof(Quad));
  std::memcpy(&b, in + in_stride, sizeof(Quad));
  std::memcpy(&c, in + 2 * in_stride, sizeof(Quad));
  std::memcpy(&d, in + 3 * in_stride, sizeof(Quad));
  const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
  std::memcpy(out, &a, sizeof(Quad));
  std::memcpy(out + out_stride, &b, sizeof(Quad));
  std::memcpy(out + 2 * out_stride, &c, sizeof(Quad));
  std::memcpy(out + 3 * out_stride, &d, sizeof(Quad));
}

// `lanes` [columns, kBlockRows] to `out` [kPictureSide, kBlockRows]: eight rows at once, so that each sum
// keeps its order whatever the width of the registers.
template <int N>
BINDRT_INLINE void sum_across(const AxisTaps& taps, const float* lanes, float* out) {
  using Doubles = typename Lanes<N>::Doubles;
  using Floats = typename Lanes<N>::Floats;
  constexpr int kParts = kBlockRows / N;
  for (std::int32_t x = 0; x < kPictureSide; ++x) {
    const double* const weights = taps.weights.data() + std::int64_t{x} * taps.width;
    const std::int32_t length = taps.lengths[static_cast<std::size_t>(x)];
    const float* from =
        lanes + std::int64_t{taps.begins[static_cast<std::size_t>(x)] - taps.first_input} * kBlockRows;
    Doubles sum[kParts] = {};
    for (std::int32_t k = 0; k < length; ++k, from += kBlockRows) {
      for (int part = 0; part < kParts; ++part) {
        Floats value;
        std::memcpy(&value, from + part * N, sizeof(Floats));
        sum[part] += weights[k] * __builtin_convertvector(value, Doubles);
      }
    }
    for (int part = 0; part < kParts; ++part) {
      const Floats rounded = __builtin_convertvector(sum[part], Floats);
      std::memcpy(out + x * kBlockRows + part * N, &rounded, sizeof(Floats));
    }
  }
}

}  // namespace detail

// The first pass over rows [begin, end) of the map into `middle`, which holds rows from `begin` on. Row y is
// asked for once, as source.row(y, columns): the columns that the taps need, as floats. N is the number
// of doubles that a register holds.
template <int N, class Source>
BINDRT_INLINE void across_rows(const SquareTaps& taps, Source& source, std::int32_t begin, std::int32_t end,
                               float* scratch, float* middle) {
  const std::int64_t columns = (std::int64_t{taps.columns()} + 3) / 4 * 4;
  float* const rows = scratch;
  float* const lanes = rows + kBlockRows * columns;
  float* const sums = lanes + kBlockRows * columns;
  for (std::int32_t y = begin; y < end; y += kBlockRows) {
    const std::int32_t count = std::min(kBlockRows, end - y);
    for (std::int32_t row = 0; row < count; ++row) {
      source.row(y + row, rows + row * columns);
    }
    for (std::int64_t x = 0; x < columns; x += 4) {
      detail::turn_quad(rows + x, columns, lanes + x * kBlockRows, kBlockRows);
      detail::turn_quad(rows + 4 * columns + x, columns, lanes + x * kBlockRows + 4, kBlockRows);
    }
    detail::sum_across<N>(*taps.across, lanes, sums);
    float* const out = middle + std::int64_t{y - begin} * kPictureSide;
    if (count == kBlockRows) {
      for (std::int64_t x = 0; x < kPictureSide; x += 4) {
        detail::turn_quad(sums + x * kBlockRows, kBlockRows, out + x, kPictureSide);
        detail::turn_quad(sums + x * kBlockRows + 4, kBlockRows, out + 4 * kPictureSide + x, kPictureSide);
      }
    } else {
      for (std::int32_t row = 0; row < count; ++row) {
        for (std::int64_t x = 0; x < kPictureSide; ++x) {
          out[row * kPictureSide + x] = sums[x * kBlockRows + row];
        }
      }
    }
  }
}

}  // namespace bindrt::kernels
