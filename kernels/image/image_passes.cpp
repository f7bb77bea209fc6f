// In plain C++, for what has no vectors of its own; written so that a compiler can make them.
#include "kernels/image/image_passes.h"

#include <algorithm>
#include <cstddef>

namespace bindrt::kernels::image {
namespace {

std::int32_t weight_of(const std::int16_t* pair, int which) {
  return pair[which] * (1 << kHighShift) + pair[2 + which];
}

// A function that is always inlined has no address, whatever the compiler makes of one.
constexpr auto byte_of = [](std::int32_t sum) { return fixed_to_byte(sum); };

void pair_columns(const std::uint8_t* const* rows, const Grouping& grouping, std::int32_t steps,
                  std::uint8_t* columns) {
  const std::int32_t units = grouping.units();
  for (std::int32_t group = 0; group < steps * kGroupsInStep; ++group) {
    for (std::int32_t unit = 0; unit < units; ++unit) {
      const std::ptrdiff_t at = std::ptrdiff_t{group} * grouping.bytes;
      const std::ptrdiff_t left = at + grouping.order[2 * unit];
      const std::ptrdiff_t right = at + grouping.order[2 * unit + 1];
      for (std::int32_t row = 0; row < kRows; ++row, columns += 2) {
        columns[0] = rows[row][left];
        columns[1] = rows[row][right];
      }
    }
  }
}

void blend_columns(const std::uint8_t* columns, const AxisTaps& taps, std::int32_t channels,
                   std::int32_t pitch, std::uint8_t* out) {
  for (std::int32_t x = 0; x < taps.count; ++x) {
    const auto i = static_cast<std::size_t>(x);
    const std::int16_t* const weights = &taps.pair_weights[i * static_cast<std::size_t>(taps.pair_width) * 4];
    for (std::int32_t channel = 0; channel < channels; ++channel) {
      const std::uint8_t* column =
          columns + (std::ptrdiff_t{taps.pair_begins[i]} * channels + channel) * kColumnBytes;
      std::int32_t sums[kRows];
      std::fill_n(sums, kRows, kFixedHalf);
      for (std::int32_t k = 0; k < taps.pair_counts[i]; ++k, column += channels * kColumnBytes) {
        const std::int32_t left = weight_of(weights + 4 * k, 0);
        const std::int32_t right = weight_of(weights + 4 * k, 1);
        for (std::int32_t row = 0; row < kRows; ++row) {
          sums[row] += column[2 * row] * left + column[2 * row + 1] * right;
        }
      }
      std::transform(sums, sums + kRows, out + (std::ptrdiff_t{channel} * pitch + x) * kRows, byte_of);
    }
  }
}

void turn(const std::uint8_t* columns, std::int32_t lanes, std::uint8_t* const* row_pairs) {
  for (std::int32_t pair = 0; pair < kRowPairs; ++pair) {
    for (std::int32_t lane = 0; lane < lanes; ++lane) {
      row_pairs[pair][2 * lane] = columns[lane * kRows + 2 * pair];
      row_pairs[pair][2 * lane + 1] = columns[lane * kRows + 2 * pair + 1];
    }
  }
}

void blend_rows(const std::uint8_t* const* row_pairs, const std::int16_t* weights, std::int32_t count,
                std::int32_t lanes, std::uint8_t* out) {
  for (std::int32_t begin = 0; begin < lanes; begin += kLanes) {
    std::int32_t sums[kLanes];
    std::fill_n(sums, kLanes, kFixedHalf);
    for (std::int32_t k = 0; k < count; ++k) {
      const std::uint8_t* const pair = row_pairs[k] + 2 * std::ptrdiff_t{begin};
      const std::int32_t upper = weight_of(weights + 4 * k, 0);
      const std::int32_t lower = weight_of(weights + 4 * k, 1);
      for (std::int32_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += pair[2 * lane] * upper + pair[2 * lane + 1] * lower;
      }
    }
    std::transform(sums, sums + kLanes, out + begin, byte_of);
  }
}

}  // namespace

const Passes kBaselinePasses{&pair_columns, &blend_columns, &turn, &blend_rows};

}  // namespace bindrt::kernels::image
