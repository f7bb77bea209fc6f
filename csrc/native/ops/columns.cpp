// Turning blocks of sixteen rows.
#include "csrc/native/ops/columns.h"

#include <algorithm>
#include <cstring>

#include "csrc/native/numbers.h"
#include "kernels/base/simd.h"

namespace bindrt::native {
namespace {

namespace simd = kernels::simd;

std::uint32_t unit(Units units, const void* row, std::int64_t i, std::int64_t width) {
  if (units == Units::kFloats) {
    return kernels::float_bits(static_cast<const float*>(row)[i]);
  }
  const auto* const numbers = static_cast<const std::uint16_t*>(row);
  if (units == Units::kWidened) {
    return static_cast<std::uint32_t>(numbers[i]) << 16;
  }
  const std::uint32_t high = 2 * i + 1 < width ? numbers[2 * i + 1] : 0U;
  return numbers[2 * i] | high << 16;
}

struct Turn {
  Units units;
  const void* const* rows;
  std::int64_t width;
  std::uint32_t* to;
  std::int64_t stride;
};

// Whole blocks of 16 bytes of sixteen rows; returns the units done.
template <int N>
BINDRT_INLINE std::int64_t turn_blocks(const Turn& job) noexcept {
  const std::int64_t bytes = job.width * (job.units == Units::kFloats ? 4 : 2);
  for (std::int64_t word = 0; word + 4 <= bytes / 4; word += 4) {
    for (int first = 0; first < kTogether; first += N) {
      simd::Float<N> row[4];
      simd::load_columns<N>(reinterpret_cast<const float* const*>(job.rows + first), word, row);
      for (int r = 0; r < 4; ++r) {
        if (job.units != Units::kWidened) {
          simd::store(job.to + (word + r) * job.stride + first, row[r]);
          continue;
        }
        const auto pair = reinterpret_cast<simd::Word<N>>(row[r]);
        const simd::Word<N> low = pair << 16;
        const simd::Word<N> high = pair & 0xFFFF0000U;
        simd::store(job.to + 2 * (word + r) * job.stride + first, low);
        simd::store(job.to + (2 * (word + r) + 1) * job.stride + first, high);
      }
    }
  }
  return bytes / 16 * 4 * (job.units == Units::kWidened ? 2 : 1);
}

std::int64_t turn_baseline(const Turn& job) noexcept { return turn_blocks<4>(job); }
BINDRT_AVX2 std::int64_t turn_avx2(const Turn& job) noexcept { return turn_blocks<8>(job); }
BINDRT_AVX512 std::int64_t turn_avx512(const Turn& job) noexcept { return turn_blocks<16>(job); }

struct Pair {
  const std::uint16_t* low;
  const std::uint16_t* high;
  std::int64_t width;
  std::uint32_t* to;
};

BINDRT_INLINE void pair(const Pair& job) noexcept {
  std::uint32_t* const to = job.to;
  BINDRT_INDEPENDENT
  for (std::int64_t i = 0; i < job.width; ++i) {
    to[i] = job.low[i] | static_cast<std::uint32_t>(job.high[i]) << 16;
  }
}

void pair_baseline(const Pair& job) noexcept { pair(job); }
BINDRT_AVX2 void pair_avx2(const Pair& job) noexcept { pair(job); }
BINDRT_AVX512 void pair_avx512(const Pair& job) noexcept { pair(job); }

}  // namespace

void turn_rows(Units units, const void* const* rows, std::int64_t count, std::int64_t width,
               std::uint32_t* to, std::int64_t stride) noexcept {
  std::int64_t done = 0;
  if (count == kTogether) {
    done = kernels::choose(&turn_baseline, &turn_avx2, &turn_avx512)({units, rows, width, to, stride});
  }
  for (std::int64_t i = done; i < units_of(units, width); ++i) {
    for (std::int64_t row = 0; row < count; ++row) {
      to[i * stride + row] = unit(units, rows[row], i, width);
    }
    std::fill(to + i * stride + count, to + i * stride + kTogether, 0U);
  }
}

void copy_row(Units units, const void* row, std::int64_t width, std::uint32_t* to) noexcept {
  if (units == Units::kFloats || (units == Units::kPairs && width % 2 == 0)) {
    std::memcpy(to, row, static_cast<std::size_t>(units_of(units, width)) * sizeof(std::uint32_t));
    return;
  }
  for (std::int64_t i = 0; i < units_of(units, width); ++i) {
    to[i] = unit(units, row, i, width);
  }
}

void pair_rows(const void* row, const void* next, std::int64_t width, std::uint32_t* to) noexcept {
  const auto* const low = static_cast<const std::uint16_t*>(row);
  if (next == nullptr) {
    std::copy_n(low, width, to);
    return;
  }
  kernels::choose(&pair_baseline, &pair_avx2,
                  &pair_avx512)({low, static_cast<const std::uint16_t*>(next), width, to});
}

}  // namespace bindrt::native
