// The inner loops of the image op for AVX2.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "kernels/base/dispatch.h"
#include "kernels/base/simd.h"
#include "kernels/image/image_passes.h"

namespace bindrt::kernels::image {
namespace {

using Units = simd::Half<16>;  // 16 bits are two pixels of a pair

BINDRT_AVX2 BINDRT_INLINE __m128i load16(const std::uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

BINDRT_AVX2 BINDRT_INLINE void store16(std::uint8_t* to, __m128i value) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value);
}

// The bytes at `low` and at `high` side by side.
BINDRT_AVX2 BINDRT_INLINE __m256i load_halves(const std::uint8_t* low, const std::uint8_t* high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(load16(low)), load16(high), 1);
}

BINDRT_AVX2 void pair_columns(const std::uint8_t* const* rows, const Grouping& grouping, std::int32_t steps,
                              std::uint8_t* columns) {
  const __m256i order = _mm256_broadcastsi128_si256(load16(grouping.order));
  const std::int32_t units = grouping.units();
  const std::ptrdiff_t group_bytes = std::ptrdiff_t{units} * kColumnBytes;
  std::ptrdiff_t at = 0;
  for (std::int32_t pair = 0; pair < steps * kGroupsInStep / 2; ++pair, columns += 2 * group_bytes) {
    for (int half = 0; half < 2; ++half) {
      Units r[8];
      for (int row = 0; row < 8; ++row) {
        const std::uint8_t* const from = rows[8 * half + row] + at;
        r[row] =
            reinterpret_cast<Units>(_mm256_shuffle_epi8(load_halves(from, from + grouping.bytes), order));
      }
      simd::transpose(r);
      for (int unit = 0; unit < units; ++unit) {
        std::uint8_t* const to = columns + unit * kColumnBytes + half * (kColumnBytes / 2);
        const auto both = reinterpret_cast<__m256i>(r[unit]);
        store16(to, _mm256_castsi256_si128(both));
        store16(to + group_bytes, _mm256_extracti128_si256(both, 1));
      }
    }
    at += 2 * grouping.bytes;
  }
}

// Eight sums, in two parts.
struct Sums {
  __m256i high;
  __m256i low;
};

BINDRT_AVX2 BINDRT_INLINE __m256i load_pairs(const std::uint8_t* pairs) {
  return _mm256_cvtepu8_epi16(load16(pairs));
}

BINDRT_AVX2 BINDRT_INLINE __m256i broadcast_pair(const std::int16_t* weights) {
  std::int32_t pair;
  std::memcpy(&pair, weights, sizeof pair);
  return _mm256_set1_epi32(pair);
}

BINDRT_AVX2 BINDRT_INLINE void add(Sums& sums, __m256i pairs, __m256i high, __m256i low) {
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pairs, high));
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pairs, low));
}

BINDRT_AVX2 BINDRT_INLINE __m256i to_values(const Sums& sums) {
  const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(sums.high, kHighShift), sums.low);
  return _mm256_srai_epi32(sum, kFixedBits);
}

// Clipped to 8 bits by the two packs.
BINDRT_AVX2 BINDRT_INLINE __m128i to_bytes(const Sums& first, const Sums& last) {
  const __m256i words = _mm256_packs_epi32(to_values(first), to_values(last));
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
  return _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
}

BINDRT_AVX2 BINDRT_INLINE Sums no_sums() { return {_mm256_setzero_si256(), _mm256_set1_epi32(kFixedHalf)}; }

template <int channels>
BINDRT_AVX2 BINDRT_INLINE void blend_columns_of(const std::uint8_t* columns, const AxisTaps& taps,
                                                std::int32_t pitch, std::uint8_t* out) {
  const std::int16_t* row = taps.pair_weights.data();
  for (std::int32_t x = 0; x < taps.count; ++x, row += 4 * std::ptrdiff_t{taps.pair_width}) {
    const auto i = static_cast<std::size_t>(x);
    const std::uint8_t* column = columns + std::ptrdiff_t{taps.pair_begins[i]} * channels * kColumnBytes;
    const std::int16_t* const end = row + 4 * std::ptrdiff_t{taps.pair_counts[i]};
    Sums first[channels], last[channels];
    for (int channel = 0; channel < channels; ++channel) {
      first[channel] = last[channel] = no_sums();
    }
    for (const std::int16_t* weights = row; weights != end; weights += 4) {
      const __m256i high = broadcast_pair(weights);
      const __m256i low = broadcast_pair(weights + 2);
      for (int channel = 0; channel < channels; ++channel, column += kColumnBytes) {
        add(first[channel], load_pairs(column), high, low);
        add(last[channel], load_pairs(column + kColumnBytes / 2), high, low);
      }
    }
    for (int channel = 0; channel < channels; ++channel) {
      store16(out + (std::ptrdiff_t{channel} * pitch + x) * kRows, to_bytes(first[channel], last[channel]));
    }
  }
}

BINDRT_AVX2 void blend_columns(const std::uint8_t* columns, const AxisTaps& taps, std::int32_t channels,
                               std::int32_t pitch, std::uint8_t* out) {
  if (channels == 3) {
    blend_columns_of<3>(columns, taps, pitch, out);
  } else {
    blend_columns_of<1>(columns, taps, pitch, out);
  }
}

// Two groups of eight lanes, one in each 128 bits, so that the transpose needs no shuffle across them.
BINDRT_AVX2 void turn(const std::uint8_t* columns, std::int32_t lanes, std::uint8_t* const* row_pairs) {
  for (std::int32_t begin = 0; begin < lanes; begin += 16, columns += 16 * kRows) {
    Units r[8];
    for (int i = 0; i < 8; ++i) {
      r[i] = reinterpret_cast<Units>(load_halves(columns + i * kRows, columns + (8 + i) * kRows));
    }
    simd::transpose(r);
    for (int pair = 0; pair < kRowPairs; ++pair) {
      simd::store(row_pairs[pair] + 2 * std::ptrdiff_t{begin}, r[pair]);
    }
  }
}

BINDRT_AVX2 void blend_rows(const std::uint8_t* const* row_pairs, const std::int16_t* weights,
                            std::int32_t count, std::int32_t lanes, std::uint8_t* out) {
  for (std::int32_t begin = 0; begin < lanes; begin += kLanes) {
    Sums sums[4] = {no_sums(), no_sums(), no_sums(), no_sums()};
    for (std::int32_t k = 0; k < count; ++k) {
      const std::uint8_t* const pair = row_pairs[k] + 2 * std::ptrdiff_t{begin};
      const __m256i high = broadcast_pair(weights + 4 * k);
      const __m256i low = broadcast_pair(weights + 4 * k + 2);
      for (int part = 0; part < 4; ++part) {
        add(sums[part], load_pairs(pair + part * 16), high, low);
      }
    }
    store16(out + begin, to_bytes(sums[0], sums[1]));
    store16(out + begin + 16, to_bytes(sums[2], sums[3]));
  }
}

}  // namespace

const Passes kAvx2Passes{&pair_columns, &blend_columns, &turn, &blend_rows};

}  // namespace bindrt::kernels::image

#endif
