// Converts floats to binary16, with the processor's instruction where it has one.
#include "kernels/base/half.h"

#include <cstddef>
#include <cstring>

#include "kernels/base/dispatch.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bindrt::kernels {
namespace {

void one_by_one(const float* values, std::int64_t count, std::uint16_t* out) noexcept {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = to_half(values[i]);
  }
}

#if defined(__x86_64__)
BINDRT_AVX2 void with_f16c(const float* values, std::int64_t count, std::uint16_t* out) noexcept {
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), halves);
  }
  one_by_one(values + i, count - i, out + i);
}
#else
constexpr auto with_f16c = &one_by_one;
#endif

}  // namespace

void to_halves(const float* values, std::int64_t count, std::uint16_t* out) noexcept {
  choose<void (*)(const float*, std::int64_t, std::uint16_t*) noexcept>(&one_by_one, with_f16c, with_f16c)(
      values, count, out);
}

void store_row(void* out, OutType type, std::int64_t index, const float* values,
               std::int64_t count) noexcept {
  if (type == OutType::kFloat16) {
    to_halves(values, count, static_cast<std::uint16_t*>(out) + index);
  } else {
    std::memcpy(static_cast<float*>(out) + index, values, static_cast<std::size_t>(count) * sizeof(float));
  }
}

}  // namespace bindrt::kernels
