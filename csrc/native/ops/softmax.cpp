// The exponentials of a part of a softmax.
#include "csrc/native/ops/softmax.h"

#include <cstring>
#include <limits>

#include "csrc/native/ops/exponential.h"

namespace bindrt::native {
namespace {

using lanes::kLanes;
using lanes::Lanes;
namespace simd = kernels::simd;

template <int N>
BINDRT_INLINE float largest_of(const float* scores, std::int64_t columns, float start) noexcept {
  Lanes<N> most[2] = {lanes::all<N>(start), lanes::all<N>(start)};
  std::int64_t at = 0;
  for (; at + 2 * kLanes <= columns; at += 2 * kLanes) {
    lanes::raise(most[0], lanes::load<N>(scores + at));
    lanes::raise(most[1], lanes::load<N>(scores + at + kLanes));
  }
  if (at < columns) {
    lanes::raise(most[0], lanes::load<N>(scores + at));
  }
  lanes::raise(most[0], most[1]);
  return lanes::largest(most[0]);
}

// Writes the exponentials of sixteen scores at `at`, and adds them.
template <int N>
BINDRT_INLINE void sixteen(float* scores, std::int64_t at, float largest, Exponentials as,
                           Lanes<N>& sum) noexcept {
  Lanes<N> x = lanes::load<N>(scores + at);
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    x.part[i] = lanes::exponential<N>(x.part[i] - largest);
  }
  if (as != Exponentials::kFloats) {
    for (int i = 0; i < Lanes<N>::kParts; ++i) {
      const simd::Word<N> rounded = lanes::rounded_bits<N>(x.part[i]);
      const simd::Word<N> cut = rounded & 0xFFFF0000U;
      x.part[i] = reinterpret_cast<simd::Float<N>>(cut);
      if (as == Exponentials::kBf16) {
        const simd::Word<N> high = rounded >> 16;
        // Never ahead of what is still to be read: two bytes are written for four.
        simd::store(reinterpret_cast<char*>(scores) + 2 * (at + i * N),
                    __builtin_convertvector(high, simd::Half<N>));
      }
    }
  }
  if (as != Exponentials::kBf16) {
    lanes::store(scores + at, x);
  }
  lanes::add(sum, x);
}

template <int N>
BINDRT_INLINE void scale(float* numbers, std::int64_t columns, float factor) noexcept {
  for (std::int64_t at = 0; at < columns; at += kLanes) {
    Lanes<N> x = lanes::load<N>(numbers + at);
    for (auto& lane : x.part) {
      lane = lane * factor;
    }
    lanes::store(numbers + at, x);
  }
}

template <int N>
BINDRT_INLINE void row(const SoftmaxPart& part, std::int64_t r) noexcept {
  float* const scores = part.scores + r * part.stride;
  const std::int64_t valid = part.valid[r];
  const std::int64_t used = (valid + kLanes - 1) / kLanes * kLanes;
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  for (std::int64_t at = valid; at < used; ++at) {
    scores[at] = kNone;
  }
  const float before = part.first ? kNone : part.largest[r];
  const float largest = largest_of<N>(scores, used, before);
  Lanes<N> sums[2] = {};
  std::int64_t at = 0;
  for (; at + 2 * kLanes <= used; at += 2 * kLanes) {
    sixteen(scores, at, largest, part.as, sums[0]);
    sixteen(scores, at + kLanes, largest, part.as, sums[1]);
  }
  if (at < used) {
    sixteen(scores, at, largest, part.as, sums[0]);
  }
  lanes::add(sums[0], sums[1]);
  const std::int64_t size = part.as == Exponentials::kBf16 ? 2 : 4;
  std::memset(reinterpret_cast<char*>(scores) + used * size, 0,
              static_cast<std::size_t>((part.columns - used) * size));

  float earlier = 0.0F;
  if (!part.first) {
    float factor[N];
    simd::store(factor, lanes::exponential<N>(simd::broadcast<N>(before - largest)));
    earlier = part.sums[r] * factor[0];
    if (before < largest) {
      scale<N>(part.mixed + r * part.mixed_stride, part.mixed_columns, factor[0]);
    }
  }
  part.largest[r] = largest;
  part.sums[r] = earlier + lanes::total(sums[0]);
}

template <int N>
BINDRT_INLINE void run(const SoftmaxPart& part) noexcept {
  for (std::int64_t r = 0; r < part.rows; ++r) {
    row<N>(part, r);
  }
}

void run_baseline(const SoftmaxPart& part) noexcept { run<4>(part); }
BINDRT_AVX2 void run_avx2(const SoftmaxPart& part) noexcept { run<8>(part); }
BINDRT_AVX512 void run_avx512(const SoftmaxPart& part) noexcept { run<16>(part); }

}  // namespace

void softmax_part(const SoftmaxPart& part) noexcept {
  kernels::choose(&run_baseline, &run_avx2, &run_avx512)(part);
}

}  // namespace bindrt::native
