#include <algorithm>
#include <cstdint>

#include "kernels/dispatch.h"
#include "kernels/mel.h"
#include "kernels/mel_tables.h"
#include "kernels/parallel.h"
#include "kernels/simd.h"

namespace bindrt::kernels {
namespace {

using fft512::Complex;
using fft512::Twiddle;

// Frames in SIMD lanes: row r holds sample r, later half of complex number r / 2, of N frames.
template <int N>
struct Rows {
  using V = simd::Float<N>;
  alignas(64) float at[2 * fft512::kPoints][N];

  BINDRT_INLINE V get(std::int32_t row) const noexcept { return simd::load<V>(at[row]); }
  BINDRT_INLINE void set(std::int32_t row, const V& value) noexcept { simd::store(at[row], value); }
  BINDRT_INLINE Complex<V> complex(std::int32_t n) const noexcept { return {get(2 * n), get(2 * n + 1)}; }
  BINDRT_INLINE void set_complex(std::int32_t n, const Complex<V>& z) noexcept {
    set(2 * n, z.re);
    set(2 * n + 1, z.im);
  }
};

// Turns N frames into rows; returns each frame's mean.
template <int N>
BINDRT_INLINE simd::Float<N> load_frames(const float* const* frames, Rows<N>& rows) noexcept {
  using V = simd::Float<N>;
  V even[4] = {};
  V odd[4] = {};
  const auto load_four = [&rows, frames](std::int32_t at, V(&sums)[4]) __attribute__((always_inline)) {
    V row[4];
    for (int r = 0; r < 4; ++r) {
      row[r] = simd::gather_quads<N>(frames + r, at);
    }
    simd::transpose_quads<N>(row);
    for (int r = 0; r < 4; ++r) {
      rows.set(at + r, row[r]);
      sums[r] += row[r];
    }
  };
  for (std::int32_t at = 0; at < kMelWindow; at += 8) {
    load_four(at, even);
    load_four(at + 4, odd);
  }
  const V sum = ((even[0] + odd[0]) + (even[1] + odd[1])) + ((even[2] + odd[2]) + (even[3] + odd[3]));
  return sum * (1.0F / kMelWindow);
}

// The first pass, on samples whose mean is removed, emphasised and windowed on the way. kLegs of the four
// numbers of a butterfly lie inside the frame; the others are padding.
template <int N>
struct FirstPass {
  using V = simd::Float<N>;
  Rows<N>& rows;
  const MelTables& tables;
  V mean;
  V before[4];  // the sample before the next one of each leg, mean removed

  BINDRT_INLINE void start(int legs) noexcept {
    before[0] = rows.get(0) - mean;
    for (int leg = 1; leg < legs; ++leg) {
      before[leg] = rows.get(128 * leg - 1) - mean;
    }
  }

  template <int kLegs>
  BINDRT_INLINE void butterflies(std::int32_t begin, std::int32_t end) noexcept {
    for (std::int32_t n = begin; n < end; ++n) {
      Complex<V> z[4] = {};
      for (int leg = 0; leg < kLegs; ++leg) {
        const std::int32_t at = 2 * (n + 64 * leg);
        const V first = rows.get(at) - mean;
        const V second = rows.get(at + 1) - mean;
        z[leg] = {emphasise(first, before[leg], tables.window[at]),
                  emphasise(second, first, tables.window[at + 1])};
        before[leg] = second;
      }
      fft512::butterfly(z, tables.fft.passes + 3 * n);
      for (int leg = 0; leg < 4; ++leg) {
        rows.set_complex(n + 64 * leg, z[leg]);
      }
    }
  }
};

// A middle pass: butterflies of numbers that are kStride apart, with the same factors in every part.
template <int N, std::int32_t kStride>
BINDRT_INLINE void middle_pass(Rows<N>& rows, const Twiddle* factors) noexcept {
  for (std::int32_t n = 0; n < kStride; ++n) {
    for (std::int32_t part = n; part < fft512::kPoints; part += 4 * kStride) {
      Complex<simd::Float<N>> z[4];
      for (int leg = 0; leg < 4; ++leg) {
        z[leg] = rows.complex(part + kStride * leg);
      }
      fft512::butterfly(z, factors + 3 * n);
      for (int leg = 0; leg < 4; ++leg) {
        rows.set_complex(part + kStride * leg, z[leg]);
      }
    }
  }
}

// The last pass for frequencies k, k + 64, k + 128, k + 192, which lie side by side.
template <int N>
BINDRT_INLINE void last_four(const Rows<N>& rows, std::int32_t k, Complex<simd::Float<N>> (&z)[4]) noexcept {
  const std::int32_t at = fft512::position(k);
  for (int leg = 0; leg < 4; ++leg) {
    z[leg] = rows.complex(at + leg);
  }
  fft512::transform4(z);
}

// The power of frequency k goes where its number was: row 2 position(k).
template <int N>
BINDRT_INLINE void set_powers(Rows<N>& rows, const fft512::Tables& fft, std::int32_t k,
                              const Complex<simd::Float<N>>& at_k,
                              const Complex<simd::Float<N>>& at_rest) noexcept {
  simd::Float<N> power_k;
  simd::Float<N> power_rest;
  fft512::pair_powers(fft, k, at_k, at_rest, power_k, power_rest);
  rows.set(2 * fft512::position(k), power_k);
  rows.set(2 * fft512::position(256 - k), power_rest);
}

// The last pass together with the split into the real signal's frequencies: k pairs with 256 - k.
template <int N>
BINDRT_INLINE void last_pass(Rows<N>& rows, const fft512::Tables& fft) noexcept {
  Complex<simd::Float<N>> z[4];
  Complex<simd::Float<N>> rest[4];
  last_four<N>(rows, 0, z);  // frequency 0 is in no band
  set_powers<N>(rows, fft, 64, z[1], z[3]);
  rows.set(2 * fft512::position(128), fft512::middle_power(z[2]));
  last_four<N>(rows, 32, z);
  set_powers<N>(rows, fft, 32, z[0], z[3]);
  set_powers<N>(rows, fft, 96, z[1], z[2]);
  for (std::int32_t k = 1; k < 32; ++k) {
    last_four<N>(rows, k, z);
    last_four<N>(rows, 64 - k, rest);
    for (int leg = 0; leg < 4; ++leg) {
      set_powers<N>(rows, fft, k + 64 * leg, z[leg], rest[3 - leg]);
    }
  }
}

// Up to N frames of one clip, in adjacent columns.
struct Group {
  const float* frames[16];
  void* out;  // of the clip
  std::int64_t column;
  int count;
};

template <int N>
BINDRT_INLINE void store_band(const Group& group, OutType type, std::int64_t at,
                              const simd::Float<N>& value) noexcept {
  const auto count = static_cast<std::size_t>(group.count);
  if (type == OutType::kFloat32) {
    float* const to = static_cast<float*>(group.out) + at;
    if (count == N) {
      simd::store(to, value);
    } else {
      std::memcpy(to, &value, count * sizeof(float));
    }
  } else {
    std::uint16_t* const to = static_cast<std::uint16_t*>(group.out) + at;
    const simd::Half<N> half = simd::halves<N>(value);
    if (count == N) {
      simd::store(to, half);
    } else {
      std::memcpy(to, &half, count * sizeof(std::uint16_t));
    }
  }
}

// The energy of band b, into row 2 b + 1, which the powers left free.
template <int N>
BINDRT_INLINE void add_up_bands(Rows<N>& rows, const MelTables& tables) noexcept {
  std::int32_t i = 0;
  for (std::int32_t band = 0; band < kMelBands; ++band) {
    simd::Float<N> energy = {};
    for (; i < tables.first_weight[band + 1]; ++i) {
      energy += rows.get(2 * tables.places[i]) * tables.weights[i];
    }
    rows.set(2 * band + 1, energy);
  }
}

template <int N>
BINDRT_INLINE void store_bands(const Rows<N>& rows, const Group& group, const MelOutput& output) noexcept {
  using V = simd::Float<N>;
  const V floor = simd::broadcast<N>(kMelFloor);
  std::int64_t at = group.column;
  for (std::int32_t band = 0; band < kMelBands; ++band, at += output.columns) {
    const V energy = rows.get(2 * band + 1);
    const V log = simd::logarithm<N>(energy > floor ? energy : floor);
    store_band<N>(group, output.type, at, (log + output.add) * output.times);
  }
}

template <int N>
BINDRT_INLINE void run_group(const Group& group, const MelOutput& output) noexcept {
  const MelTables& tables = mel_tables();
  const Twiddle* const factors = tables.fft.passes;
  Rows<N> rows;
  FirstPass<N> first{rows, tables, load_frames<N>(group.frames, rows), {}};
  first.start(4);
  first.template butterflies<4>(0, 8);
  first.template butterflies<3>(8, 64);
  middle_pass<N, 16>(rows, factors + 3 * 64);
  middle_pass<N, 4>(rows, factors + 3 * (64 + 16));
  last_pass<N>(rows, tables.fft);
  add_up_bands<N>(rows, tables);
  store_bands<N>(rows, group, output);
}

// The lanes of a group: pointers into the clip, or, where a step lies inside a frame, to a corrected copy.
template <int N>
struct Lanes {
  alignas(64) float corrected[N][kMelWindow];

  BINDRT_INLINE void point(const MelClip& clip, std::int64_t frame, int count,
                           const float** frames) noexcept {
    for (int lane = 0; lane < N; ++lane) {  // lanes without a frame repeat the last one
      const std::int64_t begin = (frame + std::min(lane, count - 1)) * kMelHop;
      frames[lane] = clip.samples + begin;
      for (const MelStep& step : clip.steps) {
        if (step.at > begin && step.at < begin + kMelWindow) {
          correct(clip, begin, corrected[lane]);
          frames[lane] = corrected[lane];
          break;
        }
      }
    }
  }

  static void correct(const MelClip& clip, std::int64_t begin, float* out) noexcept {
    for (std::int64_t i = 0; i < kMelWindow; ++i) {
      float sample = clip.samples[begin + i];
      for (const MelStep& step : clip.steps) {
        sample -= begin + i < step.at ? step.shift : 0.0F;
      }
      out[i] = sample;
    }
  }
};

struct Job {
  const MelClip* clips;
  std::int64_t count;
  const MelOutput* output;
  int lanes;

  std::int64_t frames(std::int64_t clip) const noexcept {
    return std::min(mel_frames(clips[clip].count), output->columns);
  }
  std::int64_t groups(std::int64_t clip) const noexcept {
    return (frames(clip) - clips[clip].shared + lanes - 1) / lanes;
  }
  void* out(std::int64_t clip) const noexcept {
    const std::int64_t size = output->type == OutType::kFloat32 ? sizeof(float) : sizeof(std::uint16_t);
    return static_cast<char*>(output->out) + clip * kMelBands * output->columns * size;
  }
};

// Groups [begin, end) of all clips' groups one after another.
template <int N>
BINDRT_INLINE void run_groups(const Job& job, std::int64_t begin, std::int64_t end) noexcept {
  std::int64_t clip = 0;
  std::int64_t first = 0;  // group of the clip
  for (std::int64_t index = begin; index < end; ++index) {
    while (index >= first + job.groups(clip)) {
      first += job.groups(clip++);
    }
    const std::int64_t frame = job.clips[clip].shared + (index - first) * N;
    Lanes<N> lanes;
    Group group;
    group.out = job.out(clip);
    group.column = frame;
    group.count = static_cast<int>(std::min<std::int64_t>(N, job.frames(clip) - frame));
    lanes.point(job.clips[clip], frame, group.count, group.frames);
    run_group<N>(group, *job.output);
  }
}

using Run = void (*)(const Job&, std::int64_t, std::int64_t) noexcept;
struct Kernel {
  Run run;
  int lanes;
};
void run_baseline(const Job& job, std::int64_t begin, std::int64_t end) noexcept {
  run_groups<4>(job, begin, end);
}
BINDRT_AVX2 void run_avx2(const Job& job, std::int64_t begin, std::int64_t end) noexcept {
  run_groups<8>(job, begin, end);
}
BINDRT_AVX512 void run_avx512(const Job& job, std::int64_t begin, std::int64_t end) noexcept {
  run_groups<16>(job, begin, end);
}

// Columns that are another clip's, and columns after the last frame.
template <class T>
void finish_clip(const Job& job, std::int64_t index, T padding) noexcept {
  const MelClip& clip = job.clips[index];
  const std::int64_t columns = job.output->columns;
  const std::int64_t frames = job.frames(index);
  T* row = static_cast<T*>(job.out(index));
  const T* from = static_cast<const T*>(job.out(clip.source)) + clip.source_frame;
  for (std::int32_t band = 0; band < kMelBands; ++band, row += columns, from += columns) {
    if (clip.shared > 0) {
      std::memcpy(row, from, static_cast<std::size_t>(clip.shared) * sizeof(T));
    }
    std::fill(row + frames, row + columns, padding);
  }
}

}  // namespace

void log_mel(const MelClip* clips, std::int64_t count, const MelOutput& output, int threads) noexcept {
  const auto kernel = choose(Kernel{&run_baseline, 4}, Kernel{&run_avx2, 8}, Kernel{&run_avx512, 16});
  const Job job{clips, count, &output, kernel.lanes};
  std::int64_t groups = 0;
  for (std::int64_t clip = 0; clip < count; ++clip) {
    groups += job.groups(clip);
  }
  constexpr std::int64_t kGroupsAtOnce = 2;
  parallel_for(groups, kGroupsAtOnce, threads,
               [&job, &kernel](std::int64_t begin, std::int64_t end) { kernel.run(job, begin, end); });
  const float padding = (0.0F + output.add) * output.times;
  for (std::int64_t clip = 0; clip < count; ++clip) {
    if (output.type == OutType::kFloat32) {
      finish_clip<float>(job, clip, padding);
    } else {
      finish_clip<std::uint16_t>(job, clip, to_half(padding));
    }
  }
}

}  // namespace bindrt::kernels
