// The resampling op on the CPU: blocks of four outputs from one window of inputs.
#include <algorithm>
#include <atomic>
#include <cstdint>

#include "kernels/base/dispatch.h"
#include "kernels/base/parallel.h"
#include "kernels/base/scratch.h"
#include "kernels/base/simd.h"
#include "kernels/resample/audio_view.h"
#include "kernels/resample/resample_filter.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kWindow = std::int64_t{1} << 12;  // inputs held at once, or one block's
constexpr std::int64_t kMostBlocks = std::int64_t{1} << 10;

struct ResampleJob {
  const ResampleFilter* filter;
  const AudioView* view;
  std::int32_t channel;
  std::int64_t first;
  std::int64_t count;
  float* out;
  std::int64_t first_block;
  std::int64_t blocks;
  std::int64_t blocks_at_once;
};

// Sums of 8 lanes, for four outputs: lane by lane over the window, then 8 lanes to 4, 2, 1. The order is
// the same for every N.
template <int N>
struct Sums {
  static constexpr int kParts = static_cast<int>(kResampleLanes) / N;
  simd::Float<N> of[kResampleBlock][kParts];

  BINDRT_INLINE simd::Float<4> four_lanes(int output) const noexcept {
    if constexpr (N == 4) {
      return of[output][0] + of[output][1];
    } else {
      return simd::shuffle<0, 1, 2, 3>(of[output][0], of[output][0]) +
             simd::shuffle<4, 5, 6, 7>(of[output][0], of[output][0]);
    }
  }

  BINDRT_INLINE simd::Float<4> total() const noexcept {
    simd::Float<4> row[4] = {four_lanes(0), four_lanes(1), four_lanes(2), four_lanes(3)};
    simd::transpose(row);
    return (row[0] + row[2]) + (row[1] + row[3]);
  }
};

template <int N>
BINDRT_INLINE simd::Float<4> block_outputs(const float* window, const float* taps,
                                           std::int64_t width) noexcept {
  using V = simd::Float<N>;
  Sums<N> sums = {};
  for (std::int64_t at = 0; at < width; at += kResampleLanes) {
    for (int part = 0; part < Sums<N>::kParts; ++part) {
      const V x = simd::load<V>(window + at + part * N);
      for (std::int64_t output = 0; output < kResampleBlock; ++output) {
        const float* const tap = taps + (at * kResampleBlock + output * kResampleLanes) + part * N;
        sums.of[output][part] += x * simd::load<V>(tap);
      }
    }
  }
  return sums.total();
}

// The window of blocks as floats side by side: the caller's own where they are that.
BINDRT_INLINE const float* window_of(const ResampleJob& job, std::int64_t begin, std::int64_t count,
                                     Scratch<float>& scratch) noexcept {
  const AudioView& view = *job.view;
  const bool plain = view.type == SampleType::kFloat32 && view.sample_stride == sizeof(float) &&
                     (view.channels == 1 || job.channel != kMeanOfChannels) && begin >= view.begin &&
                     begin + count <= view.begin + view.count;
  if (plain) {
    const std::int64_t shift = job.channel == kMeanOfChannels ? 0 : job.channel * view.channel_stride;
    const char* const at = static_cast<const char*>(view.samples) + shift;
    if (reinterpret_cast<std::uintptr_t>(at) % alignof(float) == 0) {
      return reinterpret_cast<const float*>(at) + (begin - view.begin);
    }
  }
  float* const copy = scratch.get(static_cast<std::size_t>(count));
  if (copy != nullptr) {
    load_samples(view, job.channel, begin, count, copy);
  }
  return copy;
}

// Blocks [begin, end) of the job; false if there is no memory.
template <int N>
BINDRT_INLINE bool run_blocks(const ResampleJob& job, std::int64_t begin, std::int64_t end) noexcept {
  thread_local Scratch<float> inputs;
  thread_local Scratch<float> rows;
  const ResampleFilter& filter = *job.filter;
  const std::int64_t block = job.first_block + begin;
  std::int64_t at = filter.position(block * kResampleBlock);
  const std::int64_t last = filter.position((job.first_block + end - 1) * kResampleBlock);
  const float* window = window_of(job, at - filter.half, last - at + filter.width, inputs);
  float* const made =
      filter.table == nullptr ? rows.get(static_cast<std::size_t>(filter.block_size())) : nullptr;
  if (window == nullptr || (filter.table == nullptr && made == nullptr)) {
    return false;
  }
  const std::int64_t whole_step = kResampleBlock * filter.orig / filter.target;
  const std::int64_t part_step = kResampleBlock * filter.orig % filter.target;
  std::int64_t part = block * kResampleBlock % filter.target * filter.orig % filter.target;
  std::int64_t phase = block % filter.blocks;
  std::int64_t index = block * kResampleBlock - job.first;  // where the block's first output is in `out`
  for (std::int64_t left = end - begin; left > 0; --left) {
    const float* taps = made;
    if (filter.table != nullptr) {
      taps = filter.table + phase * filter.block_size();
    } else {
      fill_block(filter, phase, made);
    }
    const simd::Float<4> four = block_outputs<N>(window, taps, filter.width);
    if (index >= 0 && index + kResampleBlock <= job.count) {
      simd::store(job.out + index, four);
    } else {
      for (std::int64_t i = 0; i < kResampleBlock; ++i) {
        if (index + i >= 0 && index + i < job.count) {
          job.out[index + i] = four[i];
        }
      }
    }
    index += kResampleBlock;
    phase = phase + 1 == filter.blocks ? 0 : phase + 1;
    part += part_step;
    const bool carry = part >= filter.target;
    part -= carry ? filter.target : 0;
    window += whole_step + (carry ? 1 : 0);
  }
  inputs.trim();
  rows.trim();
  return true;
}

using Run = bool (*)(const ResampleJob&, std::int64_t, std::int64_t) noexcept;
bool run_baseline(const ResampleJob& job, std::int64_t begin, std::int64_t end) noexcept {
  return run_blocks<4>(job, begin, end);
}
BINDRT_AVX2 bool run_avx2(const ResampleJob& job, std::int64_t begin, std::int64_t end) noexcept {
  return run_blocks<8>(job, begin, end);
}
BINDRT_AVX512 bool run_avx512(const ResampleJob& job, std::int64_t begin, std::int64_t end) noexcept {
  return run_blocks<8>(job, begin, end);  // 16 lanes would add up in another order
}

}  // namespace

bool resample(const ResampleRates& rates, const AudioView& view, std::int32_t channel, std::int64_t first,
              std::int64_t count, float* out, int threads) noexcept {
  if (count <= 0) {
    return true;
  }
  if (rates.orig == rates.target) {
    load_samples(view, channel, first, count, out);
    return true;
  }
  const auto filter = resample_filter(rates);
  if (filter == nullptr) {
    return false;
  }
  const std::int64_t first_block = first / kResampleBlock;
  const std::int64_t blocks = (first + count - 1) / kResampleBlock + 1 - first_block;
  const std::int64_t step = kResampleBlock * rates.orig / rates.target + 1;
  const std::int64_t at_once = std::clamp<std::int64_t>(kWindow / step, 1, kMostBlocks);
  const ResampleJob job{filter.get(), &view, channel, first, count, out, first_block, blocks, at_once};
  std::atomic<bool> done{true};
  const Run run = choose<Run>(&run_baseline, &run_avx2, &run_avx512);
  const std::int64_t pieces = (blocks + at_once - 1) / at_once;
  parallel_for(pieces, 1, threads, [&job, &done, run](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t low = piece * job.blocks_at_once;
      if (!run(job, low, std::min(low + job.blocks_at_once, job.blocks))) {
        done.store(false, std::memory_order_relaxed);
      }
    }
  });
  return done.load(std::memory_order_relaxed);
}

}  // namespace bindrt::kernels
