// float32, bf16 and int8 by AVX2 and its fused multiply-add.
#if defined(__x86_64__)
#include "kernels/base/dispatch.h"

#define BINDRT_LEVEL BINDRT_AVX2

#include "csrc/native/product/avx2.h"
#include "csrc/native/product/kernels.h"

namespace bindrt::native {
namespace {

struct Float32 : Avx2Floats {
  static constexpr Numbers kNumbers = Numbers::kFloat32;
  using Weight = __m256;
  using Row = __m256;
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) {
    return _mm256_castsi256_ps(load_bytes(from));
  }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) {
    return _mm256_castsi256_ps(four_bytes(from));
  }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    return _mm256_fmadd_ps(row, weight, sum);
  }
};

// A pair's numbers as float32, the second first, in the order of the processors' dot product.
struct FloatPair {
  __m256 second, first;
};

struct Bf16 : Avx2Floats {
  static constexpr Numbers kNumbers = Numbers::kBf16;
  static constexpr int kMostRows = 4;  // weights and a row take six registers
  using Weight = FloatPair;
  using Row = FloatPair;
  using Setting = SubnormalsAreZero;
  BINDRT_LEVEL_INLINE static FloatPair widened(const __m256i& pairs) {
    return {_mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(-0x10000))),
            _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16))};
  }
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) { return widened(load_bytes(from)); }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) { return widened(four_bytes(from)); }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    return _mm256_fmadd_ps(row.first, weight.first, _mm256_fmadd_ps(row.second, weight.second, sum));
  }
};

// int8 with the instruction that multiplies bytes and adds two products, which it cuts off above 32767: for
// weights of at most kSmall.
constexpr int kSmall = 64;
static_assert(255 * kSmall * 2 <= 32767);

struct SmallInt8 : Avx2Integers {
  using Weight = __m256i;
  using Row = __m256i;
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) { return load_bytes(from); }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) { return four_bytes(from); }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    const __m256i pairs = _mm256_maddubs_epi16(row, weight);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

// int8 with any weights. Bytes as 16-bit numbers: the second and fourth of each four, the first and third.
struct WordPair {
  __m256i odd, even;
};

struct AnyInt8 : Avx2Integers {
  static constexpr int kVectors = 1;  // a row, its weights and what is between take the other registers
  using Weight = WordPair;
  using Row = WordPair;
  BINDRT_LEVEL_INLINE static Weight weight(const std::uint8_t* from) {
    const __m256i bytes = load_bytes(from);
    return {_mm256_srai_epi16(bytes, 8), _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8)};
  }
  BINDRT_LEVEL_INLINE static Row row(const std::uint8_t* from) {
    const __m256i bytes = four_bytes(from);
    return {_mm256_srli_epi16(bytes, 8), _mm256_and_si256(bytes, _mm256_set1_epi16(0xFF))};
  }
  BINDRT_LEVEL_INLINE static Sum add(Sum sum, const Row& row, const Weight& weight) {
    return _mm256_add_epi32(_mm256_add_epi32(sum, _mm256_madd_epi16(row.even, weight.even)),
                            _mm256_madd_epi16(row.odd, weight.odd));
  }
};

constexpr auto kSmallBlocks = blocks_of<SmallInt8>(std::make_index_sequence<SmallInt8::kMostRows>());
constexpr auto kAnyBlocks = blocks_of<AnyInt8>(std::make_index_sequence<AnyInt8::kMostRows>());

BINDRT_AVX2 const Block* small_blocks(const std::uint8_t* weights, std::int64_t bytes) {
  __m256i largest = _mm256_setzero_si256();
  for (std::int64_t at = 0; at < bytes; at += 32) {  // −128 stays as it is, and is 128 without a sign
    largest = _mm256_max_epu8(largest, _mm256_abs_epi8(load_bytes(weights + at)));
  }
  const __m256i beyond = _mm256_subs_epu8(largest, _mm256_set1_epi8(kSmall));
  return _mm256_testz_si256(beyond, beyond) != 0 ? kSmallBlocks.data() : nullptr;
}

void run_int8(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows, std::int64_t first,
              std::int64_t last, const Target& target) noexcept {
  static_assert(SmallInt8::kMostRows == AnyInt8::kMostRows);
  static constexpr BlockKernel kKernel{Numbers::kInt8, AnyInt8::kMostRows, kAnyBlocks.data(),
                                       &finish<AnyInt8>, &small_blocks};
  run_blocks(kKernel, weight, rows_in, rows, first, last, target);
}

bool available() noexcept { return has_avx2(); }

}  // namespace

const ProductKernel kAvx2Float32{"avx2", Numbers::kFloat32, &available, &good_rows, &run<Float32>};
const ProductKernel kAvx2Bf16{"avx2", Numbers::kBf16, &available, &good_rows, &run<Bf16>};
const ProductKernel kAvx2Int8{"avx2", Numbers::kInt8, &available, &good_rows, &run_int8};

}  // namespace bindrt::native
#endif
