// Log-mel spectra: a warp computes a frame, with its numbers in shared memory; a block a tile of columns,
// so that rows of the output are written in one piece. Each sum is in the order of the CPU.
#include "kernels/base/cuda/device.h"
#include "kernels/base/logarithm.h"
#include "kernels/mel/mel_params.h"

namespace {

using namespace bindrt::kernels;
using fft512::Complex;
using fft512::Twiddle;

// A place of the transform in shared memory: passes step by 4, 16 and 64, which would meet the same banks.
__device__ __forceinline__ int padded(int n) { return n + 4 * (n >> 4) + (n >> 6); }
constexpr int kPadded = fft512::kPoints + fft512::kPoints / 4;  // more than padded() of the last

struct FrameMemory {
  float samples[kMelWindow];  // later the powers
  double re[kPadded];
  double im[kPadded];

  __device__ __forceinline__ Complex<double> get(int n) const { return {re[padded(n)], im[padded(n)]}; }
  __device__ __forceinline__ void set(int n, const Complex<double>& z) {
    re[padded(n)] = z.re;
    im[padded(n)] = z.im;
  }
};

// The samples of a frame, corrected where a step lies inside it.
__device__ void load_frame(const float* clip, const MelStep* steps, std::int64_t begin, int lane,
                           FrameMemory& memory) {
  bool corrects = false;
  for (int step = 0; step < kMelSteps; ++step) {
    corrects = corrects || (steps[step].at > begin && steps[step].at < begin + kMelWindow);
  }
  for (int i = lane; i < kMelWindow; i += cuda::kWarp) {
    float sample = clip[begin + i];
    for (int step = 0; corrects && step < kMelSteps; ++step) {
      sample -= begin + i < steps[step].at ? steps[step].shift : 0.0F;
    }
    memory.samples[i] = sample;
  }
}

// The mean of the frame, in every lane.
__device__ double frame_mean(const FrameMemory& memory, int lane) {
  double sum = 0.0;
  for (int i = lane; lane < 8 && i < kMelWindow; i += 8) {
    sum += static_cast<double>(memory.samples[i]);
  }
  sum += __shfl_xor_sync(cuda::kAllLanes, sum, 4);
  sum += __shfl_xor_sync(cuda::kAllLanes, sum, 1);
  sum += __shfl_xor_sync(cuda::kAllLanes, sum, 2);
  return __shfl_sync(cuda::kAllLanes, sum, 0) * (1.0 / kMelWindow);
}

__device__ void first_pass(const MelTables& tables, double mean, int lane, FrameMemory& memory) {
  for (int n = lane; n < 64; n += cuda::kWarp) {
    Complex<double> z[4] = {};
    for (int leg = 0; leg < 4; ++leg) {
      const int at = 2 * (n + 64 * leg);
      if (at < kMelWindow) {
        const double first = static_cast<double>(memory.samples[at]) - mean;
        const double second = static_cast<double>(memory.samples[at + 1]) - mean;
        const double before = at == 0 ? first : static_cast<double>(memory.samples[at - 1]) - mean;
        z[leg] = {emphasise(first, before, tables.window[at]),
                  emphasise(second, first, tables.window[at + 1])};
      }
    }
    fft512::butterfly(z, tables.fft.passes + 3 * n);
    for (int leg = 0; leg < 4; ++leg) {
      memory.set(n + 64 * leg, z[leg]);
    }
  }
}

template <int kStride>
__device__ void middle_pass(const Twiddle* factors, int lane, FrameMemory& memory) {
  for (int b = lane; b < 64; b += cuda::kWarp) {
    const int n = b % kStride;
    const int begin = b / kStride * 4 * kStride + n;
    Complex<double> z[4];
    for (int leg = 0; leg < 4; ++leg) {
      z[leg] = memory.get(begin + kStride * leg);
    }
    fft512::butterfly(z, factors + 3 * n);
    for (int leg = 0; leg < 4; ++leg) {
      memory.set(begin + kStride * leg, z[leg]);
    }
  }
}

__device__ void last_four(const FrameMemory& memory, int k, Complex<double> (&z)[4]) {
  const int at = fft512::position(k);
  for (int leg = 0; leg < 4; ++leg) {
    z[leg] = memory.get(at + leg);
  }
  fft512::transform4(z);
}

__device__ void set_powers(const fft512::Tables& fft, int k, const Complex<double>& at_k,
                           const Complex<double>& at_rest, float* powers) {
  double power_k;
  double power_rest;
  fft512::pair_powers(fft, k, at_k, at_rest, power_k, power_rest);
  powers[fft512::position(k)] = static_cast<float>(power_k);
  powers[fft512::position(256 - k)] = static_cast<float>(power_rest);
}

// Lane k has frequencies k and 64 - k and those 64, 128, 192 above; lane 0 has 0 and 32.
__device__ void last_pass(const fft512::Tables& fft, int lane, FrameMemory& memory) {
  Complex<double> z[4];
  Complex<double> rest[4];
  float* const powers = memory.samples;
  last_four(memory, lane, z);
  last_four(memory, lane == 0 ? 32 : 64 - lane, rest);
  if (lane == 0) {
    set_powers(fft, 64, z[1], z[3], powers);
    powers[fft512::position(128)] = static_cast<float>(fft512::middle_power(z[2]));
    set_powers(fft, 32, rest[0], rest[3], powers);
    set_powers(fft, 96, rest[1], rest[2], powers);
  } else {
    for (int leg = 0; leg < 4; ++leg) {
      set_powers(fft, lane + 64 * leg, z[leg], rest[3 - leg], powers);
    }
  }
}

// The logarithms of the bands into a column of the tile.
__device__ void add_up_bands(const MelTables& tables, const float* powers, int lane, float* column) {
  for (int band = lane; band < kMelBands; band += cuda::kWarp) {
    float energy = 0.0F;
    for (int i = tables.first_weight[band]; i < tables.first_weight[band + 1]; ++i) {
      energy += powers[tables.places[i]] * tables.weights[i];
    }
    column[band * (kMelTile + 1)] = logarithm(energy > kMelFloor ? energy : kMelFloor);
  }
}

__device__ void compute_frame(const MelTables& tables, const float* clip, const MelStep* steps,
                              std::int64_t frame, FrameMemory& memory, float* column) {
  const int lane = static_cast<int>(threadIdx.x % cuda::kWarp);
  load_frame(clip, steps, frame * kMelHop, lane, memory);
  __syncwarp();
  const double mean = frame_mean(memory, lane);
  first_pass(tables, mean, lane, memory);
  __syncwarp();
  middle_pass<16>(tables.fft.passes + 3 * 64, lane, memory);
  __syncwarp();
  middle_pass<4>(tables.fft.passes + 3 * (64 + 16), lane, memory);
  __syncwarp();
  last_pass(tables.fft, lane, memory);
  __syncwarp();
  add_up_bands(tables, memory.samples, lane, column);
  __syncwarp();  // before the next frame's samples
}

// A frame's number of clip `clip` as clip `other` counts it, or -1 if that does not take it from here.
__device__ std::int64_t frame_of(const MelRecording& recording, int clip, int other, std::int64_t frame) {
  if (other == clip) {
    return frame;
  }
  const std::int64_t distance =
      recording.ranges[clip].begin + frame * kMelHop - recording.ranges[other].begin;
  if (distance < 0 || distance % kMelHop != 0 || distance / kMelHop >= recording.shared[other]) {
    return -1;
  }
  return distance / kMelHop;
}

__device__ void store_column(const MelParams& p, const MelRecording& recording, int clip, int band,
                             std::int64_t column, std::int64_t frames, float log) {
  const MelOutput& output = p.output;
  const float value = (log + output.add) * output.times;
  if (column >= frames) {
    store(output.out, output.type, ((recording.view + clip) * kMelBands + band) * output.columns + column,
          value);
    return;
  }
  for (int other = clip; other < recording.clips; ++other) {
    const std::int64_t at = frame_of(recording, clip, other, column);
    if (at >= 0) {
      store(output.out, output.type, ((recording.view + other) * kMelBands + band) * output.columns + at,
            value);
    }
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kMelWarps* cuda::kWarp) bindrt_mel_means(MelMeansParams p) {
  __shared__ double partial[cuda::kWarp];
  const MelRecording& recording = p.recordings[blockIdx.y];
  const int clip = static_cast<int>(blockIdx.x);
  const bool counts = clip < recording.clips && recording.channels != nullptr;
  const std::int64_t begin = counts ? recording.ranges[clip].begin : 0;
  const std::int64_t end = counts ? recording.ranges[clip].end : 0;
  double sum = 0.0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    sum += static_cast<double>(recording.channels[i]);
  }
  sum = cuda::block_reduce(sum, partial, cuda::Sum());
  if (threadIdx.x == 0) {
    p.means[blockIdx.y * kMostClips + clip] = end > begin ? sum / static_cast<double>(end - begin) : 0.0;
  }
}

extern "C" __global__ void __launch_bounds__(kMelWarps* cuda::kWarp) bindrt_mel(MelParams p) {
  __shared__ FrameMemory memory[kMelWarps];
  __shared__ float tile[kMelBands * (kMelTile + 1)];
  const MelRecording& recording = p.recordings[blockIdx.y];
  const int clip = static_cast<int>(blockIdx.z);
  if (clip >= recording.clips) {
    return;
  }
  ClipRange ranges[kMostClips];
  for (int i = 0; i < kMostClips; ++i) {
    ranges[i] = recording.ranges[i];
    ranges[i].mean = p.means == nullptr ? 0.0 : p.means[blockIdx.y * kMostClips + i];
  }
  MelStep steps[kMelSteps];
  clip_steps(ranges, clip, steps);
  std::int64_t frames = mel_frames(ranges[clip].end - ranges[clip].begin);
  frames = frames < p.output.columns ? frames : p.output.columns;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * kMelTile;
  const int warp = static_cast<int>(threadIdx.x / cuda::kWarp);
  for (int column = warp; column < kMelTile; column += kMelWarps) {
    const std::int64_t frame = begin + column;
    if (frame >= recording.shared[clip] && frame < frames) {
      compute_frame(*p.tables, recording.first + ranges[clip].begin, steps, frame, memory[warp],
                    tile + column);
    }
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < kMelBands * kMelTile; i += static_cast<int>(blockDim.x)) {
    const int band = i / kMelTile;
    const std::int64_t column = begin + i % kMelTile;
    if (column >= recording.shared[clip] && column < p.output.columns) {
      const float log = column < frames ? tile[band * (kMelTile + 1) + i % kMelTile] : 0.0F;
      store_column(p, recording, clip, band, column, frames, log);
    }
  }
}
