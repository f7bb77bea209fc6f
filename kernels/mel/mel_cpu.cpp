// The log-mel op on the CPU: several frames at once, one in each lane of a vector.
#include <algorithm>
#include <cstdint>

#include "kernels/base/dispatch.h"
#include "kernels/base/parallel.h"
#include "kernels/base/simd.h"
#include "kernels/mel/mel.h"
#include "kernels/mel/mel_tables.h"

namespace bindrt::kernels {
namespace {

using fft512::Complex;
using fft512::Twiddle;

// Frames in SIMD lanes: row r holds sample r, later half of complex number r / 2, of M frames.
template <int M>
struct FrameRows {
  using V = simd::Double<M>;
  alignas(64) double at[2 * fft512::kPoints][M];

  BINDRT_INLINE V get(std::int32_t row) const noexcept { return simd::load<V>(at[row]); }
  BINDRT_INLINE void set(std::int32_t row, const V& value) noexcept { simd::store(at[row], value); }
  BINDRT_INLINE Complex<V> complex(std::int32_t n) const noexcept { return {get(2 * n), get(2 * n + 1)}; }
  BINDRT_INLINE void set_complex(std::int32_t n, const Complex<V>& z) noexcept {
    set(2 * n, z.re);
    set(2 * n + 1, z.im);
  }
};

// The powers of N frames; that of frequency k is in row position(k).
template <int N>
struct Powers {
  alignas(64) float at[fft512::kPoints][N];
};

// Turns M frames into rows; returns each frame's mean.
template <int M>
BINDRT_INLINE simd::Double<M> load_frames(const float* const* frames, FrameRows<M>& rows) noexcept {
  using V = simd::Double<M>;
  V even[4] = {};
  V odd[4] = {};
  const auto load_four = [&rows, frames](std::int32_t at, V(&sums)[4]) __attribute__((always_inline)) {
    simd::Float<M> row[4];
    simd::load_columns<M>(frames, at, row);
    for (int r = 0; r < 4; ++r) {
      const V wide = __builtin_convertvector(row[r], V);
      rows.set(at + r, wide);
      sums[r] += wide;
    }
  };
  for (std::int32_t at = 0; at < kMelWindow; at += 8) {
    load_four(at, even);
    load_four(at + 4, odd);
  }
  const V sum = ((even[0] + odd[0]) + (even[1] + odd[1])) + ((even[2] + odd[2]) + (even[3] + odd[3]));
  return sum * (1.0 / kMelWindow);
}

// The first pass, on samples whose mean is removed, emphasised and windowed on the way. kLegs of the four
// numbers of a butterfly lie inside the frame; the others are padding.
template <int M>
struct FirstPass {
  using V = simd::Double<M>;
  FrameRows<M>& rows;
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
template <int M, std::int32_t kStride>
BINDRT_INLINE void middle_pass(FrameRows<M>& rows, const Twiddle* factors) noexcept {
  for (std::int32_t n = 0; n < kStride; ++n) {
    for (std::int32_t part = n; part < fft512::kPoints; part += 4 * kStride) {
      Complex<simd::Double<M>> z[4];
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
template <int M>
BINDRT_INLINE void last_four(const FrameRows<M>& rows, std::int32_t k,
                             Complex<simd::Double<M>> (&z)[4]) noexcept {
  const std::int32_t at = fft512::position(k);
  for (int leg = 0; leg < 4; ++leg) {
    z[leg] = rows.complex(at + leg);
  }
  fft512::transform4(z);
}

// The last pass together with the split into the real signal's frequencies: k pairs with 256 - k. The
// powers are those of lanes from `lane` on.
template <int M, int N>
struct LastPass {
  using V = simd::Double<M>;
  const FrameRows<M>& rows;
  const fft512::Tables& fft;
  Powers<N>& powers;
  int lane;

  BINDRT_INLINE void set(std::int32_t k, const V& power) noexcept {
    simd::store(powers.at[fft512::position(k)] + lane, __builtin_convertvector(power, simd::Float<M>));
  }
  BINDRT_INLINE void set_pair(std::int32_t k, const Complex<V>& at_k, const Complex<V>& at_rest) noexcept {
    V power_k;
    V power_rest;
    fft512::pair_powers(fft, k, at_k, at_rest, power_k, power_rest);
    set(k, power_k);
    set(256 - k, power_rest);
  }

  BINDRT_INLINE void run() noexcept {
    Complex<V> z[4];
    Complex<V> rest[4];
    last_four<M>(rows, 0, z);  // frequency 0 is in no band
    set_pair(64, z[1], z[3]);
    set(128, fft512::middle_power(z[2]));
    last_four<M>(rows, 32, z);
    set_pair(32, z[0], z[3]);
    set_pair(96, z[1], z[2]);
    for (std::int32_t k = 1; k < 32; ++k) {
      last_four<M>(rows, k, z);
      last_four<M>(rows, 64 - k, rest);
      for (int leg = 0; leg < 4; ++leg) {
        set_pair(k + 64 * leg, z[leg], rest[3 - leg]);
      }
    }
  }
};

// The powers of M frames.
template <int M, int N>
BINDRT_INLINE void transform(const float* const* frames, int lane, Powers<N>& powers) noexcept {
  const MelTables& tables = mel_tables();
  const Twiddle* const factors = tables.fft.passes;
  FrameRows<M> rows;
  FirstPass<M> first{rows, tables, load_frames<M>(frames + lane, rows), {}};
  first.start(4);
  first.template butterflies<4>(0, 8);
  first.template butterflies<3>(8, 64);
  middle_pass<M, 16>(rows, factors + 3 * 64);
  middle_pass<M, 4>(rows, factors + 3 * (64 + 16));
  LastPass<M, N>{rows, tables.fft, powers, lane}.run();
}

// Up to N frames of one clip, in adjacent columns.
struct Group {
  const float* frames[16];
  void* out;  // where the clip's numbers go
  std::int64_t column;
  int count;
};

template <int N>
BINDRT_INLINE void store_band(OutType type, void* out, std::int64_t at, int count,
                              const simd::Float<N>& value) noexcept {
  const auto size = static_cast<std::size_t>(count);
  if (type == OutType::kFloat32) {
    float* const to = static_cast<float*>(out) + at;
    if (count == N) {
      simd::store(to, value);
    } else {
      std::memcpy(to, &value, size * sizeof(float));
    }
  } else {
    std::uint16_t* const to = static_cast<std::uint16_t*>(out) + at;
    const simd::Half<N> half = simd::halves<N>(value);
    if (count == N) {
      simd::store(to, half);
    } else {
      std::memcpy(to, &half, size * sizeof(std::uint16_t));
    }
  }
}

// `stride` is from a band's numbers to those of the next.
template <int N>
BINDRT_INLINE void store_bands(const Powers<N>& powers, const Group& group, int lane, const MelOutput& output,
                               std::int64_t stride) noexcept {
  using V = simd::Float<N>;
  const MelTables& tables = mel_tables();
  const V floor = simd::broadcast<N>(kMelFloor);
  const int count = std::min(group.count - lane, N);
  std::int64_t at = group.column + lane;
  std::int32_t i = 0;
  for (std::int32_t band = 0; band < kMelBands; ++band, at += stride) {
    V energy = {};
    for (; i < tables.first_weight[band + 1]; ++i) {
      energy += simd::load<V>(powers.at[tables.places[i]]) * tables.weights[i];
    }
    const V log = simd::logarithm<N>(energy > floor ? energy : floor);
    store_band<N>(output.type, group.out, at, count, (log + output.add) * output.times);
  }
}

// Up to N frames of a group, from lane `at` on. M is how many frames a vector of doubles holds, N one of
// floats.
template <int M, int N>
BINDRT_INLINE void run_group(const Group& group, int at, const MelOutput& output,
                             std::int64_t stride) noexcept {
  Powers<N> powers;
  for (int lane = 0; lane < N; lane += M) {
    transform<M, N>(group.frames + at, lane, powers);
  }
  store_bands<N>(powers, group, at, output, stride);
}

// A group of at most N - 4 frames, in shorter vectors: live streams compute a few frames at a time.
template <int M, int N>
BINDRT_INLINE void run_rest(const Group& group, const MelOutput& output, std::int64_t stride) noexcept {
  int at = 0;
  if constexpr (N == 16) {
    if (group.count > 4) {
      run_group<M, 8>(group, 0, output, stride);
      at = 8;
    }
  }
  if (at < group.count) {
    run_group<4, 4>(group, at, output, stride);
  }
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

struct MelJob {
  const MelClip* clips;
  std::int64_t count;
  const MelOutput* output;
  int lanes;
  std::int64_t stride;  // from a band's numbers to those of the next

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
template <int M, int N>
BINDRT_INLINE void run_groups(const MelJob& job, std::int64_t begin, std::int64_t end) noexcept {
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
    if constexpr (N > 4) {
      if (group.count <= N - 4) {
        run_rest<M, N>(group, *job.output, job.stride);
        continue;
      }
    }
    run_group<M, N>(group, 0, *job.output, job.stride);
  }
}

using Run = void (*)(const MelJob&, std::int64_t, std::int64_t) noexcept;
struct MelKernel {
  Run run;
  int lanes;
};
void run_baseline(const MelJob& job, std::int64_t begin, std::int64_t end) noexcept {
  run_groups<2, 4>(job, begin, end);
}
BINDRT_AVX2 void run_avx2(const MelJob& job, std::int64_t begin, std::int64_t end) noexcept {
  run_groups<4, 8>(job, begin, end);
}
BINDRT_AVX512 void run_avx512(const MelJob& job, std::int64_t begin, std::int64_t end) noexcept {
  run_groups<8, 16>(job, begin, end);
}

MelKernel kernel_in_use() noexcept {
  return choose(MelKernel{&run_baseline, 4}, MelKernel{&run_avx2, 8}, MelKernel{&run_avx512, 16});
}

// Columns that are another clip's, and columns after the last frame.
template <class T>
void finish_clip(const MelJob& job, std::int64_t index, T padding) noexcept {
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
  const MelKernel kernel = kernel_in_use();
  const MelJob job{clips, count, &output, kernel.lanes, output.columns};
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

void log_mel_frames(const MelClip& clip, const MelOutput& output, std::int64_t stride) noexcept {
  const MelKernel kernel = kernel_in_use();
  const MelJob job{&clip, 1, &output, kernel.lanes, stride};
  kernel.run(job, 0, job.groups(0));
}

}  // namespace bindrt::kernels
