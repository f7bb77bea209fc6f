// The exponentials of a part of a softmax.
#include "csrc/native/ops/softmax.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "csrc/native/ops/exponential.h"

namespace bindrt::native {
namespace {

using lanes::kLanes;
using lanes::Lanes;
namespace simd = kernels::simd;

constexpr std::int64_t kTwo = 2 * kLanes;  // scores that are taken together
constexpr float kNone = -std::numeric_limits<float>::infinity();

// The largest of `valid` scores and `start`.
template <int N>
BINDRT_INLINE float largest_of(const float* scores, std::int64_t valid, float start) noexcept {
  Lanes<N> most[2] = {lanes::all<N>(start), lanes::all<N>(start)};
  std::int64_t at = 0;
  for (; at + kTwo <= valid; at += kTwo) {
    lanes::raise(most[0], lanes::load<N>(scores + at));
    lanes::raise(most[1], lanes::load<N>(scores + at + kLanes));
  }
  for (; at < valid; at += kLanes) {
    Lanes<N> last = lanes::load<N>(scores + at);
    for (int i = 0; i < Lanes<N>::kParts; ++i) {
      last.part[i] = lanes::before<N>(valid, at + i * N, last.part[i], kNone);
    }
    lanes::raise(most[0], last);
  }
  lanes::raise(most[0], most[1]);
  return lanes::largest(most[0]);
}

// Exponentials of kCount scores, in their place; adds them to the sums of lanes. Those from `valid` on are 0.
template <int N, Exponentials kAs, int kCount, bool kLast>
BINDRT_INLINE void write_some(float* scores, std::int64_t at, std::int64_t valid, float largest,
                              Lanes<N> (&sums)[2]) noexcept {
  constexpr int kVectors = kCount / N;
  constexpr int kParts = Lanes<N>::kParts;
  simd::Float<N> x[kVectors];
  for (int i = 0; i < kVectors; ++i) {
    x[i] = simd::load<simd::Float<N>>(scores + at + i * N) - largest;
  }
  lanes::exponentials<N, kVectors>(x);
  for (int i = 0; i < kVectors; ++i) {
    if (kAs != Exponentials::kFloats) {
      const simd::Word<N> bits = (reinterpret_cast<simd::Word<N>>(x[i]) + 0x8000U) & 0xFFFF0000U;
      x[i] = reinterpret_cast<simd::Float<N>>(bits);
    }
    if (kLast) {
      x[i] = lanes::before<N>(valid, at + i * N, x[i], 0.0F);
    }
    if (kAs != Exponentials::kBf16) {
      simd::store(scores + at + i * N, x[i]);
    }
    auto& sum = sums[i / kParts % 2].part[i % kParts];
    sum = sum + x[i];
  }
  if (kAs == Exponentials::kBf16) {  // never ahead of what is still to be read
    for (int i = 0; i < kVectors; i += 2) {
      lanes::store_upper_halves<N>(reinterpret_cast<std::uint16_t*>(scores) + at + i * N, x[i], x[i + 1]);
    }
  }
}

// Writes a row's exponentials, and zeros up to `columns`; returns the sum.
template <int N, Exponentials kAs>
BINDRT_INLINE float write_row(float* scores, std::int64_t valid, std::int64_t columns,
                              float largest) noexcept {
  constexpr int kFew = static_cast<int>(kTwo);
  constexpr int kMany = N == 16 ? 2 * kFew : kFew;
  Lanes<N> sums[2] = {};
  std::int64_t at = 0;
  for (; at + kMany <= valid; at += kMany) {
    write_some<N, kAs, kMany, false>(scores, at, valid, largest, sums);
  }
  for (; at < valid; at += kFew) {
    write_some<N, kAs, kFew, true>(scores, at, valid, largest, sums);
  }
  if (at < columns) {
    constexpr std::int64_t kSize = kAs == Exponentials::kBf16 ? 2 : 4;
    std::memset(reinterpret_cast<char*>(scores) + at * kSize, 0,
                static_cast<std::size_t>((columns - at) * kSize));
  }
  lanes::add(sums[0], sums[1]);
  return lanes::total(sums[0]);
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

// e^(before - now) of each row, for what earlier parts summed.
template <int N>
BINDRT_INLINE void bring_along(const SoftmaxPart& part, const float* before) noexcept {
  for (std::int64_t r = 0; r < part.rows; ++r) {
    if (before[r] < part.largest[r]) {
      float factor[N];
      simd::store(factor, lanes::exponential<N>(simd::broadcast<N>(before[r] - part.largest[r])));
      part.sums[r] = part.sums[r] * factor[0];
      scale<N>(part.mixed + r * part.mixed_stride, part.mixed_columns, factor[0]);
    }
  }
}

template <int N, Exponentials kAs>
BINDRT_INLINE void run_as(const SoftmaxPart& part) noexcept {
  float before[kSoftmaxRows];
  for (std::int64_t r = 0; r < part.rows; ++r) {
    before[r] = part.first ? kNone : part.largest[r];
    part.largest[r] = largest_of<N>(part.scores + r * part.stride, part.valid[r], before[r]);
  }
  if (part.first) {
    std::fill_n(part.sums, part.rows, 0.0F);
  } else {
    bring_along<N>(part, before);
  }
  for (std::int64_t r = 0; r < part.rows; ++r) {
    const float sum =
        write_row<N, kAs>(part.scores + r * part.stride, part.valid[r], part.columns, part.largest[r]);
    part.sums[r] = part.sums[r] + sum;
  }
}

template <int N>
BINDRT_INLINE void run(const SoftmaxPart& part) noexcept {
  switch (part.as) {
    case Exponentials::kFloats:
      run_as<N, Exponentials::kFloats>(part);
      break;
    case Exponentials::kRounded:
      run_as<N, Exponentials::kRounded>(part);
      break;
    case Exponentials::kBf16:
      run_as<N, Exponentials::kBf16>(part);
      break;
  }
}

void run_baseline(const SoftmaxPart& part) noexcept { run<4>(part); }
BINDRT_AVX2 void run_avx2(const SoftmaxPart& part) noexcept { run<8>(part); }
BINDRT_AVX512 void run_avx512(const SoftmaxPart& part) noexcept { run<16>(part); }

struct Result {
  const float* mixed;
  float sum;
  std::int64_t width;
  bool bf16;
  void* to;
};

template <int N>
BINDRT_INLINE void result(const Result& job) noexcept {
  const float factor = 1.0F / job.sum;
  for (std::int64_t at = 0; at < job.width; at += kLanes) {
    Lanes<N> x = lanes::load<N>(job.mixed + at);
    for (auto& lane : x.part) {
      lane = lane * factor;
    }
    const std::int64_t count = std::min(kLanes, job.width - at);
    if (job.bf16) {
      std::uint16_t some[kLanes];
      auto* const to = static_cast<std::uint16_t*>(job.to) + at;
      lanes::store_bf16(count == kLanes ? to : some, x);
      if (count < kLanes) {
        std::memcpy(to, some, static_cast<std::size_t>(count) * sizeof(std::uint16_t));
      }
    } else {
      float some[kLanes];
      float* const to = static_cast<float*>(job.to) + at;
      lanes::store(count == kLanes ? to : some, x);
      if (count < kLanes) {
        std::memcpy(to, some, static_cast<std::size_t>(count) * sizeof(float));
      }
    }
  }
}

void result_baseline(const Result& job) noexcept { result<4>(job); }
BINDRT_AVX2 void result_avx2(const Result& job) noexcept { result<8>(job); }
BINDRT_AVX512 void result_avx512(const Result& job) noexcept { result<16>(job); }

}  // namespace

void softmax_part(const SoftmaxPart& part) noexcept {
  kernels::choose(&run_baseline, &run_avx2, &run_avx512)(part);
}

void softmax_result(const float* mixed, float sum, std::int64_t width, bool bf16, void* to) noexcept {
  kernels::choose(&result_baseline, &result_avx2, &result_avx512)({mixed, sum, width, bf16, to});
}

}  // namespace bindrt::native
