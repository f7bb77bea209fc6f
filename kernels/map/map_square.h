// The centre square of a map, resized with antialiasing on floats as Pillow does it in mode F: rows first,
// sums in double, rounded to float after each pass. Depth and thermal share it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/base/dispatch.h"
#include "kernels/base/scratch.h"
#include "kernels/base/simd.h"
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

// Returns null pointers if there is no memory.
SquareTaps square_taps(const Map& map, ResizeFilter filter) noexcept;

// What is done to a resized value: value · gain + offset, then clipped to low..high, in double.
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

// Four rows of four floats to four columns.
BINDRT_INLINE void turn_quad(const float* in, std::int64_t in_stride, float* out, std::int64_t out_stride) {
  using Quad = simd::Float<4>;
  Quad rows[4] = {simd::load<Quad>(in), simd::load<Quad>(in + in_stride),
                  simd::load<Quad>(in + 2 * in_stride), simd::load<Quad>(in + 3 * in_stride)};
  simd::transpose(rows);
  for (int row = 0; row < 4; ++row) {
    simd::store(out + row * out_stride, rows[row]);
  }
}

// `lanes` [columns, kBlockRows] to `out` [kPictureSide, kBlockRows]: eight rows at once, so that each sum
// keeps its order whatever the width of the registers.
template <int N>
BINDRT_INLINE void sum_across(const AxisTaps& taps, const float* lanes, float* out) {
  using Doubles = simd::Double<N>;
  using Floats = simd::Float<N>;
  constexpr int kParts = kBlockRows / N;
  for (std::int32_t x = 0; x < kPictureSide; ++x) {
    const double* const weights = taps.weights.data() + std::int64_t{x} * taps.width;
    const std::int32_t length = taps.lengths[static_cast<std::size_t>(x)];
    const float* from =
        lanes + std::int64_t{taps.begins[static_cast<std::size_t>(x)] - taps.first_input} * kBlockRows;
    Doubles sum[kParts] = {};
    for (std::int32_t k = 0; k < length; ++k, from += kBlockRows) {
      for (int part = 0; part < kParts; ++part) {
        const auto value = simd::load<Floats>(from + part * N);
        sum[part] += weights[k] * __builtin_convertvector(value, Doubles);
      }
    }
    for (int part = 0; part < kParts; ++part) {
      simd::store(out + x * kBlockRows + part * N, __builtin_convertvector(sum[part], Floats));
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
