// Norm, range and rounding of rows, in one pass over a row that is in cache.
#include "csrc/native/ops/rows.h"

#include <cmath>
#include <cstring>

#include "csrc/native/ops/lanes.h"

namespace bindrt::native {
namespace {

using lanes::kLanes;
using lanes::Lanes;
namespace simd = kernels::simd;

constexpr float kTiny = 1e-30F;  // the least peak of a row that is divided by
constexpr float kLevels = 1.0F / 127.0F;

// Sources: lanes `at` … `at` + 15 of a row; `part` gives fewer, and zeros behind them.

template <int N>
struct FloatRow {
  const float* row;
  BINDRT_INLINE Lanes<N> full(std::int64_t at) const noexcept { return lanes::load<N>(row + at); }
  BINDRT_INLINE Lanes<N> part(std::int64_t at, std::int64_t count) const noexcept {
    float some[kLanes] = {};
    std::memcpy(some, row + at, static_cast<std::size_t>(count) * sizeof(float));
    return lanes::load<N>(some);
  }
};

template <int N>
struct Bf16Row {
  const std::uint16_t* row;
  BINDRT_INLINE Lanes<N> full(std::int64_t at) const noexcept { return lanes::load_bf16<N>(row + at); }
  BINDRT_INLINE Lanes<N> part(std::int64_t at, std::int64_t count) const noexcept {
    std::uint16_t some[kLanes] = {};
    std::memcpy(some, row + at, static_cast<std::size_t>(count) * sizeof(std::uint16_t));
    return lanes::load_bf16<N>(some);
  }
};

template <int N>
struct NormedRow {
  FloatRow<N> row;
  FloatRow<N> weight;
  FloatRow<N> bias;  // null for none
  float mean;
  float factor;

  BINDRT_INLINE Lanes<N> of(Lanes<N> x, const Lanes<N>& gain) const noexcept {
    for (int i = 0; i < Lanes<N>::kParts; ++i) {
      x.part[i] = (x.part[i] - mean) * factor * gain.part[i];
    }
    return x;
  }
  BINDRT_INLINE Lanes<N> full(std::int64_t at) const noexcept {
    Lanes<N> y = of(row.full(at), weight.full(at));
    if (bias.row != nullptr) {
      lanes::add(y, bias.full(at));
    }
    return y;
  }
  BINDRT_INLINE Lanes<N> part(std::int64_t at, std::int64_t count) const noexcept {
    Lanes<N> y = of(row.part(at, count), weight.part(at, count));  // 0 · gain 0 behind the row
    if (bias.row != nullptr) {
      lanes::add(y, bias.part(at, count));
    }
    return y;
  }
};

constexpr int kSums = 4;  // vectors of sums: each addition need not wait for the one before

template <int N>
BINDRT_INLINE float total(Lanes<N> (&sums)[kSums]) noexcept {
  lanes::add(sums[0], sums[2]);
  lanes::add(sums[1], sums[3]);
  lanes::add(sums[0], sums[1]);
  return lanes::total(sums[0]);
}

template <int N>
BINDRT_INLINE void add_squares(Lanes<N>& sum, Lanes<N> x, float mean) noexcept {
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    const simd::Float<N> distance = x.part[i] - mean;
    sum.part[i] = sum.part[i] + distance * distance;
  }
}

template <int N>
BINDRT_INLINE NormedRow<N> normed(const float* x, std::int64_t width, const Norm& norm) noexcept {
  const FloatRow<N> row{x};
  const std::int64_t whole = width / kLanes * kLanes;
  const auto count = static_cast<float>(width);
  Lanes<N> sums[kSums] = {};
  std::int64_t at = 0;
  for (; at + kSums * kLanes <= whole; at += kSums * kLanes) {
    for (int i = 0; i < kSums; ++i) {
      lanes::add(sums[i], row.full(at + i * kLanes));
    }
  }
  for (int i = 0; at < whole; at += kLanes, ++i) {
    lanes::add(sums[i], row.full(at));
  }
  if (at < width) {
    lanes::add(sums[kSums - 1], row.part(at, width - at));
  }
  const float mean = total(sums) / count;

  Lanes<N> squares[kSums] = {};
  at = 0;
  for (; at + kSums * kLanes <= whole; at += kSums * kLanes) {
    for (int i = 0; i < kSums; ++i) {
      add_squares(squares[i], row.full(at + i * kLanes), mean);
    }
  }
  for (int i = 0; at < whole; at += kLanes, ++i) {
    add_squares(squares[i], row.full(at), mean);
  }
  if (at < width) {
    float some[kLanes];
    for (std::int64_t i = 0; i < kLanes; ++i) {
      some[i] = at + i < width ? x[at + i] : mean;
    }
    add_squares(squares[kSums - 1], lanes::load<N>(some), mean);
  }
  const float factor = 1.0F / std::sqrt(total(squares) / count + norm.eps);
  return {row, {norm.weight}, {norm.bias}, mean, factor};
}

template <int N>
BINDRT_INLINE void store_bytes(std::uint8_t* to, const Lanes<N>& x, float step) noexcept {
  constexpr float kToInteger = 12582912.0F;  // added: the nearest integer stands in the low bits
  using Bytes = typename simd::Vector<std::uint8_t, N>::Type;
  for (int i = 0; i < Lanes<N>::kParts; ++i) {
    simd::Float<N> level = x.part[i] / step;
    level = level > -128.0F ? level : simd::broadcast<N>(-128.0F);  // NaN as well
    level = level < 127.0F ? level : simd::broadcast<N>(127.0F);
    const simd::Float<N> shifted = level + kToInteger;
    const simd::Word<N> number = (reinterpret_cast<simd::Word<N>>(shifted) + 128U) & 0xFFU;
    simd::store(to + i * N, __builtin_convertvector(number, Bytes));
  }
}

template <int N, class Source>
BINDRT_INLINE float peak_of(const Source& source, std::int64_t width) noexcept {
  Lanes<N> most[2] = {};
  std::int64_t at = 0;
  for (; at + 2 * kLanes <= width; at += 2 * kLanes) {
    lanes::raise(most[0], lanes::magnitude(source.full(at)));
    lanes::raise(most[1], lanes::magnitude(source.full(at + kLanes)));
  }
  for (; at < width; at += kLanes) {
    const std::int64_t count = width - at;
    lanes::raise(most[0], lanes::magnitude(count >= kLanes ? source.full(at) : source.part(at, count)));
  }
  lanes::raise(most[0], most[1]);
  return lanes::largest(most[0]);
}

template <int N, class Source>
BINDRT_INLINE void write_bytes(const Source& source, std::int64_t row, std::int64_t width, const RowsOut& to,
                               std::uint8_t* bytes) noexcept {
  float step = to.fixed;
  if (step == 0.0F) {
    const float peak = peak_of<N>(source, width);
    step = (peak > kTiny ? peak : kTiny) * kLevels;
  }
  to.steps[row] = step;
  std::int64_t at = 0;
  for (; at + kLanes <= width; at += kLanes) {
    store_bytes(bytes + at, source.full(at), step);
  }
  if (at < width) {
    std::uint8_t some[kLanes];
    store_bytes(some, source.part(at, width - at), step);
    std::memcpy(bytes + at, some, static_cast<std::size_t>(width - at));
  }
}

template <int N, class Source>
BINDRT_INLINE void write_bf16(const Source& source, std::int64_t width, std::uint16_t* numbers) noexcept {
  std::int64_t at = 0;
  for (; at + kLanes <= width; at += kLanes) {
    lanes::store_bf16(numbers + at, source.full(at));
  }
  if (at < width) {
    std::uint16_t some[kLanes];
    lanes::store_bf16(some, source.part(at, width - at));
    std::memcpy(numbers + at, some, static_cast<std::size_t>(width - at) * sizeof(std::uint16_t));
  }
}

template <int N, class Source>
BINDRT_INLINE void write_floats(const Source& source, std::int64_t width, float* numbers) noexcept {
  std::int64_t at = 0;
  for (; at + kLanes <= width; at += kLanes) {
    lanes::store(numbers + at, source.full(at));
  }
  if (at < width) {
    float some[kLanes];
    lanes::store(some, source.part(at, width - at));
    std::memcpy(numbers + at, some, static_cast<std::size_t>(width - at) * sizeof(float));
  }
}

template <int N, class Source>
BINDRT_INLINE void write(const Source& source, std::int64_t row, std::int64_t width,
                         const RowsOut& to) noexcept {
  auto* const bytes = static_cast<std::uint8_t*>(to.data) + row * to.stride;
  switch (to.numbers) {
    case Numbers::kFloat32:
      write_floats<N>(source, width, reinterpret_cast<float*>(bytes));
      break;
    case Numbers::kBf16:
      write_bf16<N>(source, width, reinterpret_cast<std::uint16_t*>(bytes));
      break;
    case Numbers::kInt8:
      write_bytes<N>(source, row, width, to, bytes);
      break;
  }
  if (to.padded > width) {
    const std::int64_t size = bytes_of(to.numbers);
    std::memset(bytes + width * size, 0, static_cast<std::size_t>((to.padded - width) * size));
  }
}

struct Job {
  const RowsIn& from;
  std::int64_t first;
  std::int64_t last;
  std::int64_t width;
  const Norm* norm;
  const RowsOut& to;
};

template <int N>
BINDRT_INLINE void run(const Job& job) noexcept {
  for (std::int64_t row = job.first; row < job.last; ++row) {
    const std::int64_t at = row * job.from.stride;
    if (job.norm != nullptr) {
      const auto source = normed<N>(static_cast<const float*>(job.from.data) + at, job.width, *job.norm);
      write<N>(source, row, job.width, job.to);
    } else if (job.from.bf16) {
      const Bf16Row<N> source{static_cast<const std::uint16_t*>(job.from.data) + at};
      write<N>(source, row, job.width, job.to);
    } else {
      const FloatRow<N> source{static_cast<const float*>(job.from.data) + at};
      write<N>(source, row, job.width, job.to);
    }
  }
}

void run_baseline(const Job& job) noexcept { run<4>(job); }
BINDRT_AVX2 void run_avx2(const Job& job) noexcept { run<8>(job); }
BINDRT_AVX512 void run_avx512(const Job& job) noexcept { run<16>(job); }

void run_level(const Job& job) noexcept { kernels::choose(&run_baseline, &run_avx2, &run_avx512)(job); }

}  // namespace

void convert_rows(const RowsIn& from, std::int64_t first, std::int64_t last, std::int64_t width,
                  const RowsOut& to) noexcept {
  run_level({from, first, last, width, nullptr, to});
}

void norm_rows(const RowsIn& from, std::int64_t first, std::int64_t last, std::int64_t width,
               const Norm& norm, const RowsOut& to) noexcept {
  run_level({from, first, last, width, &norm, to});
}

void norm_in_place(float* row, std::int64_t width, const Norm& norm) noexcept {
  const RowsOut to{Numbers::kFloat32, row, 0, width};
  norm_rows({row, width}, 0, 1, width, norm, to);
}

}  // namespace bindrt::native
