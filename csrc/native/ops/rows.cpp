// Norm, range and rounding of rows, in one pass over a row that is in cache.
#include "csrc/native/ops/rows.h"

#include <algorithm>
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
constexpr float kToInteger = 12582912.0F;  // added: the nearest whole number stands in the low bits

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

// Numbers to bytes: round(x / step) + 128, halves to even. A product with 1 / step is several times as fast
// as dividing, and differs by less than 127 · 2^-22: where a number is that close to a half, only dividing
// tells.
template <int N>
struct Scale {
  static constexpr float kNearHalf = 0.4999F;
  static constexpr float kLeastFactored = 1e-35F;  // below, 1 / step may be infinite

  float step;
  float factor;
  bool bounded;  // the step is not from the row's own peak: numbers may be out of reach

  // Adding kToInteger has put the whole number into the low bits.
  BINDRT_INLINE simd::Float<N> whole(simd::Float<N>& level) const noexcept {
    if (bounded) {
      level = level > -128.0F ? level : simd::broadcast<N>(-128.0F);
      level = level < 127.0F ? level : simd::broadcast<N>(127.0F);
    }
    return level + kToInteger;
  }
  BINDRT_INLINE simd::Word<N> divided(const simd::Float<N>& x) const noexcept {
    simd::Float<N> level = x / step;
    return (reinterpret_cast<simd::Word<N>>(whole(level)) + 128U) & 0xFFU;
  }
  // `doubt` is raised to the distance from the whole number.
  BINDRT_INLINE simd::Word<N> multiplied(const simd::Float<N>& x, simd::Float<N>& doubt) const noexcept {
    simd::Float<N> level = x * factor;
    const simd::Float<N> shifted = whole(level);
    const simd::Float<N> distance = level - (shifted - kToInteger);
    const simd::Word<N> magnitude = reinterpret_cast<simd::Word<N>>(distance) & 0x7FFFFFFFU;
    const auto far = reinterpret_cast<simd::Float<N>>(magnitude);
    doubt = far > doubt ? far : doubt;
    return (reinterpret_cast<simd::Word<N>>(shifted) + 128U) & 0xFFU;
  }
  BINDRT_INLINE bool doubtful(const simd::Float<N>& doubt) const noexcept {
    Lanes<N> all = {};
    all.part[0] = doubt;
    return lanes::largest(all) > kNearHalf || step < kLeastFactored;
  }
};

template <int N>
BINDRT_INLINE void store_bytes(std::uint8_t* to, const simd::Word<N>& number) noexcept {
  using Bytes = typename simd::Vector<std::uint8_t, N>::Type;
  simd::store(to, __builtin_convertvector(number, Bytes));
}

constexpr std::int64_t kChunk = 256;  // numbers whose doubt is looked at together

// kChunk numbers of any source.
template <int N, class Source>
BINDRT_INLINE void chunk_to_bytes(const Source& source, std::int64_t at, const Scale<N>& scale,
                                  std::uint8_t* bytes) noexcept {
  simd::Float<N> doubt = {};
  for (std::int64_t i = at; i < at + kChunk; i += kLanes) {
    const Lanes<N> x = source.full(i);
    for (int part = 0; part < Lanes<N>::kParts; ++part) {
      store_bytes<N>(bytes + i + part * N, scale.multiplied(x.part[part], doubt));
    }
  }
  if (scale.doubtful(doubt)) {
    for (std::int64_t i = at; i < at + kChunk; i += kLanes) {
      const Lanes<N> x = source.full(i);
      for (int part = 0; part < Lanes<N>::kParts; ++part) {
        store_bytes<N>(bytes + i + part * N, scale.divided(x.part[part]));
      }
    }
  }
}

// kChunk bfloat16: those at even and at odd places are widened, and narrowed, as pairs.
template <int N>
BINDRT_INLINE void chunk_to_bytes(const Bf16Row<N>& source, std::int64_t at, const Scale<N>& scale,
                                  std::uint8_t* bytes) noexcept {
  simd::Float<N> doubt = {};
  for (std::int64_t i = at; i < at + kChunk; i += 2 * N) {
    const auto pair = simd::load<simd::Word<N>>(source.row + i);
    const simd::Word<N> even = pair << 16;
    const simd::Word<N> odd = pair & 0xFFFF0000U;
    const simd::Word<N> first = scale.multiplied(reinterpret_cast<simd::Float<N>>(even), doubt);
    const simd::Word<N> second = scale.multiplied(reinterpret_cast<simd::Float<N>>(odd), doubt);
    const simd::Word<N> both = first | second << 8;
    simd::store(bytes + i, __builtin_convertvector(both, simd::Half<N>));
  }
  if (scale.doubtful(doubt)) {
    for (std::int64_t i = at; i < at + kChunk; i += kLanes) {
      const Lanes<N> x = source.full(i);
      for (int part = 0; part < Lanes<N>::kParts; ++part) {
        store_bytes<N>(bytes + i + part * N, scale.divided(x.part[part]));
      }
    }
  }
}

// The largest magnitude of the first kChunk · n numbers.
template <int N, class Source>
BINDRT_INLINE float peak_of_chunks(const Source& source, std::int64_t width) noexcept {
  Lanes<N> most[2] = {};
  for (std::int64_t at = 0; at + kChunk <= width; at += kChunk) {
    for (std::int64_t i = at; i < at + kChunk; i += 2 * kLanes) {
      lanes::raise(most[0], lanes::magnitude(source.full(i)));
      lanes::raise(most[1], lanes::magnitude(source.full(i + kLanes)));
    }
  }
  lanes::raise(most[0], most[1]);
  return lanes::largest(most[0]);
}

// The same of bfloat16: without their signs they are ordered as whole numbers are.
template <int N>
BINDRT_INLINE float peak_of_chunks(const Bf16Row<N>& source, std::int64_t width) noexcept {
  using Shorts = typename simd::Vector<std::int16_t, 2 * N>::Type;
  Shorts most[2] = {};
  for (std::int64_t at = 0; at + kChunk <= width; at += kChunk) {
    for (std::int64_t i = at; i < at + kChunk; i += 4 * N) {
      for (int half = 0; half < 2; ++half) {
        const Shorts x = simd::load<Shorts>(source.row + i + half * 2 * N) & 0x7FFF;
        most[half] = x > most[half] ? x : most[half];
      }
    }
  }
  most[0] = most[0] > most[1] ? most[0] : most[1];
  std::int16_t lane[2 * N];
  simd::store(lane, most[0]);
  return from_bf16(static_cast<std::uint16_t>(*std::max_element(lane, lane + 2 * N)));
}

template <int N, class Source>
BINDRT_INLINE float peak_of(const Source& source, std::int64_t width) noexcept {
  Lanes<N> most = lanes::all<N>(peak_of_chunks<N>(source, width));
  std::int64_t at = width / kChunk * kChunk;
  for (; at + kLanes <= width; at += kLanes) {
    lanes::raise(most, lanes::magnitude(source.full(at)));
  }
  if (at < width) {
    lanes::raise(most, lanes::magnitude(source.part(at, width - at)));
  }
  return lanes::largest(most);
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
  const Scale<N> scale{step, 1.0F / step, to.fixed != 0.0F};
  std::int64_t at = 0;
  for (; at + kChunk <= width; at += kChunk) {
    chunk_to_bytes<N>(source, at, scale, bytes);
  }
  for (; at < width; at += kLanes) {
    const std::int64_t count = std::min(kLanes, width - at);
    const Lanes<N> x = count == kLanes ? source.full(at) : source.part(at, count);
    std::uint8_t some[kLanes];
    for (int part = 0; part < Lanes<N>::kParts; ++part) {
      store_bytes<N>(some + part * N, scale.divided(x.part[part]));
    }
    std::memcpy(bytes + at, some, static_cast<std::size_t>(count));
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
