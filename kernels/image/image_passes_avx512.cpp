// The inner loops of the image op for AVX-512.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "kernels/base/dispatch.h"
#include "kernels/base/simd.h"
#include "kernels/image/image_passes.h"

// GCC 12 takes the undefined registers of its own intrinsics for a mistake of ours.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bindrt::kernels::image {
namespace {

using Units = simd::Half<32>;  // 16 bits are two pixels of a pair

// The dwords of 64 bytes of a row that put one group in each lane.
BINDRT_AVX512 BINDRT_INLINE __m512i group_dwords(const Grouping& grouping) {
  const __m512i in_lane = _mm512_set4_epi32(3, 2, 1, 0);
  const __m512i lane = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  return _mm512_add_epi32(in_lane, _mm512_mullo_epi32(lane, _mm512_set1_epi32(grouping.bytes / 4)));
}

BINDRT_AVX512 void pair_columns(const std::uint8_t* const* rows, const Grouping& grouping, std::int32_t steps,
                                std::uint8_t* columns) {
  const __m512i dwords = group_dwords(grouping);
  const __m512i order =
      _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(grouping.order)));
  const std::int32_t units = grouping.units();
  const std::ptrdiff_t group_bytes = std::ptrdiff_t{units} * kColumnBytes;
  const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  for (std::int32_t step = 0; step < steps; ++step, columns += kGroupsInStep * group_bytes) {
    const std::ptrdiff_t at = std::ptrdiff_t{step} * kGroupsInStep * grouping.bytes;
    Units half[2][8];
    for (int row = 0; row < kRows; ++row) {
      const __m512i bytes = _mm512_permutexvar_epi32(dwords, _mm512_loadu_si512(rows[row] + at));
      half[row / 8][row % 8] = reinterpret_cast<Units>(_mm512_shuffle_epi8(bytes, order));
    }
    simd::transpose(half[0]);
    simd::transpose(half[1]);
    for (int unit = 0; unit < units; ++unit) {
      std::uint8_t* const to = columns + unit * kColumnBytes;
      const auto upper = reinterpret_cast<__m512i>(half[0][unit]);
      const auto lower = reinterpret_cast<__m512i>(half[1][unit]);
      const __m512i first = _mm512_permutex2var_epi64(upper, low, lower);
      const __m512i last = _mm512_permutex2var_epi64(upper, high, lower);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(first));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + group_bytes), _mm512_extracti64x4_epi64(first, 1));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 2 * group_bytes), _mm512_castsi512_si256(last));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 3 * group_bytes),
                          _mm512_extracti64x4_epi64(last, 1));
    }
  }
}

// Sixteen sums, in two parts.
struct Sums {
  __m512i high;
  __m512i low;
};

BINDRT_AVX512 BINDRT_INLINE __m512i load_pairs(const std::uint8_t* pairs) {
  return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(pairs)));
}

BINDRT_AVX512 BINDRT_INLINE __m512i broadcast_pair(const std::int16_t* weights) {
  std::int32_t pair;
  std::memcpy(&pair, weights, sizeof pair);
  return _mm512_set1_epi32(pair);
}

BINDRT_AVX512 BINDRT_INLINE void add(Sums& sums, __m512i pairs, __m512i high, __m512i low) {
  sums.high = _mm512_add_epi32(sums.high, _mm512_madd_epi16(pairs, high));
  sums.low = _mm512_add_epi32(sums.low, _mm512_madd_epi16(pairs, low));
}

BINDRT_AVX512 BINDRT_INLINE __m128i to_bytes(const Sums& sums) {
  const __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(sums.high, kHighShift), sums.low);
  const __m512i value = _mm512_srai_epi32(sum, kFixedBits);
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(value, _mm512_setzero_si512()));
}

BINDRT_AVX512 BINDRT_INLINE Sums no_sums() { return {_mm512_setzero_si512(), _mm512_set1_epi32(kFixedHalf)}; }

template <int channels>
BINDRT_AVX512 BINDRT_INLINE void blend_columns_of(const std::uint8_t* columns, const AxisTaps& taps,
                                                  std::int32_t pitch, std::uint8_t* out) {
  const std::int16_t* row = taps.pair_weights.data();
  for (std::int32_t x = 0; x < taps.count; ++x, row += 4 * std::ptrdiff_t{taps.pair_width}) {
    const auto i = static_cast<std::size_t>(x);
    const std::uint8_t* column = columns + std::ptrdiff_t{taps.pair_begins[i]} * channels * kColumnBytes;
    const std::int16_t* const end = row + 4 * std::ptrdiff_t{taps.pair_counts[i]};
    Sums sums[channels];
    for (Sums& channel : sums) {
      channel = no_sums();
    }
    for (const std::int16_t* weights = row; weights != end; weights += 4) {
      const __m512i high = broadcast_pair(weights);
      const __m512i low = broadcast_pair(weights + 2);
      for (int channel = 0; channel < channels; ++channel, column += kColumnBytes) {
        add(sums[channel], load_pairs(column), high, low);
      }
    }
    for (int channel = 0; channel < channels; ++channel) {
      const std::ptrdiff_t lane = std::ptrdiff_t{channel} * pitch + x;
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + lane * kRows), to_bytes(sums[channel]));
    }
  }
}

BINDRT_AVX512 void blend_columns(const std::uint8_t* columns, const AxisTaps& taps, std::int32_t channels,
                                 std::int32_t pitch, std::uint8_t* out) {
  if (channels == 3) {
    blend_columns_of<3>(columns, taps, pitch, out);
  } else {
    blend_columns_of<1>(columns, taps, pitch, out);
  }
}

// Four groups of eight lanes, one in each 128 bits, so that the transpose needs no shuffle across them.
BINDRT_AVX512 void turn(const std::uint8_t* columns, std::int32_t lanes, std::uint8_t* const* row_pairs) {
  for (std::int32_t begin = 0; begin < lanes; begin += kLanes, columns += kLanes * kRows) {
    Units r[8];
    for (int i = 0; i < 8; ++i) {
      const auto lane = [&](int group) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(columns + (group * 8 + i) * kRows));
      };
      __m512i joined = _mm512_castsi128_si512(lane(0));
      joined = _mm512_inserti32x4(joined, lane(1), 1);
      joined = _mm512_inserti32x4(joined, lane(2), 2);
      r[i] = reinterpret_cast<Units>(_mm512_inserti32x4(joined, lane(3), 3));
    }
    simd::transpose(r);
    for (int pair = 0; pair < kRowPairs; ++pair) {
      simd::store(row_pairs[pair] + 2 * std::ptrdiff_t{begin}, r[pair]);
    }
  }
}

BINDRT_AVX512 void blend_rows(const std::uint8_t* const* row_pairs, const std::int16_t* weights,
                              std::int32_t count, std::int32_t lanes, std::uint8_t* out) {
  for (std::int32_t begin = 0; begin < lanes; begin += kLanes) {
    Sums left = no_sums();
    Sums right = no_sums();
    for (std::int32_t k = 0; k < count; ++k) {
      const std::uint8_t* const pair = row_pairs[k] + 2 * std::ptrdiff_t{begin};
      const __m512i high = broadcast_pair(weights + 4 * k);
      const __m512i low = broadcast_pair(weights + 4 * k + 2);
      add(left, load_pairs(pair), high, low);
      add(right, load_pairs(pair + kLanes), high, low);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + begin), to_bytes(left));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + begin + kLanes / 2), to_bytes(right));
  }
}

}  // namespace

const Passes kAvx512Passes{&pair_columns, &blend_columns, &turn, &blend_rows};

}  // namespace bindrt::kernels::image

#endif
