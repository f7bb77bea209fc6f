// Resampling: a block of threads loads the inputs of a tile of outputs into shared memory once, as
// floats, and each thread sums up an output. The order of the sum is that of the CPU.
#include "kernels/base/cuda/device.h"
#include "kernels/resample/resample_params.h"

namespace {

using namespace bindrt::kernels;

template <class T>
__device__ __forceinline__ float load(const char* at) {
  return full_scale(*reinterpret_cast<const T*>(at));
}

__device__ __forceinline__ float load_as(SampleType type, const char* at) {
  switch (type) {
    case SampleType::kInt16:
      return load<std::int16_t>(at);
    case SampleType::kInt32:
      return load<std::int32_t>(at);
    case SampleType::kFloat32:
      break;
  }
  return load<float>(at);
}

// Sample `index` of a channel, or of the mean of all.
__device__ float sample_of(const AudioView& view, std::int32_t channel, std::int64_t index) {
  if (index < view.begin || index >= view.begin + view.count) {
    return 0.0F;
  }
  const char* const at = static_cast<const char*>(view.samples) + (index - view.begin) * view.sample_stride;
  if (channel != kMeanOfChannels || view.channels == 1) {
    return load_as(view.type, channel == kMeanOfChannels ? at : at + channel * view.channel_stride);
  }
  if (view.channels == 2) {
    return 0.5F * load_as(view.type, at) + 0.5F * load_as(view.type, at + view.channel_stride);
  }
  double sum = 0.0;
  for (std::int32_t other = 0; other < view.channels; ++other) {
    sum += static_cast<double>(load_as(view.type, at + other * view.channel_stride));
  }
  return static_cast<float>(sum / view.channels);
}

// One output of a block: taps of its inputs, from the table or computed.
struct OutputTaps {
  const float* table;  // the block's taps, or null
  std::int64_t output;
  TapsOf of;
  std::int64_t first;  // the input of window place 0, counted from the start of its period
  std::int64_t low;    // places [low, low + 2 half] belong to the output
  std::int64_t high;

  __device__ OutputTaps(const ResampleShape& shape, const float* all, std::int64_t block, std::int64_t which)
      : table(all == nullptr ? nullptr : all + block % shape.blocks * shape.block_size()),
        output(which),
        of(taps_of(shape, (block * kResampleBlock + which) % shape.target)) {
    const std::int64_t index = block * kResampleBlock + which;
    const std::int64_t shift = shape.position(index) - shape.position(block * kResampleBlock);
    low = shift;
    high = shift + 2 * shape.half;
    first = shape.position(index % shape.target) - shape.half - shift;
  }

  // Computed.
  __device__ float at(std::int64_t place) const {
    return place < low || place > high ? 0.0F : of.at(static_cast<double>(first + place));
  }
};

__device__ float sum_of(const float* window, const OutputTaps& taps, int width) {
  const float* const row = taps.table == nullptr ? nullptr : taps.table + taps.output * kResampleLanes;
  float sums[kResampleLanes] = {};
  for (int at = 0; at < width; at += static_cast<int>(kResampleLanes)) {
#pragma unroll
    for (int lane = 0; lane < kResampleLanes; ++lane) {
      const float tap = row == nullptr ? taps.at(at + lane) : row[at * kResampleBlock + lane];
      sums[lane] += window[at + lane] * tap;
    }
  }
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) bindrt_resample_taps(ResampleTapsParams p) {
  const ResampleTable table = p.tables[blockIdx.y];
  const std::int64_t size = table.shape.block_size();
  const std::int64_t taps = table.shape.blocks * size;
  for (std::int64_t i = cuda::grid_thread(); i < taps; i += cuda::grid_threads()) {
    const std::int64_t chunk = i % size / (kResampleBlock * kResampleLanes);
    const std::int64_t place = chunk * kResampleLanes + i % kResampleLanes;
    const std::int64_t output = i / kResampleLanes % kResampleBlock;
    table.taps[i] = OutputTaps(table.shape, nullptr, i / size, output).at(place);
  }
}

extern "C" __global__ void __launch_bounds__(256) bindrt_resample(ResampleParams p) {
  BINDRT_DYNAMIC_SHARED(float, window);
  const ResampleGpuItem& item = p.items[blockIdx.y];
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * item.tile;
  if (begin >= item.blocks) {
    return;
  }
  const std::int64_t end = begin + item.tile < item.blocks ? begin + item.tile : item.blocks;
  const std::int64_t block = item.first_block + begin;
  const std::int64_t start = item.shape.position(block * kResampleBlock);
  const std::int64_t last = item.shape.position((item.first_block + end - 1) * kResampleBlock);
  const bool copies = item.shape.orig == item.shape.target;
  const std::int64_t inputs = copies ? 0 : last - start + item.shape.width;
  for (std::int64_t i = threadIdx.x; i < inputs; i += blockDim.x) {
    window[i] = sample_of(item.view, item.channel, start - item.shape.half + i);
  }
  __syncthreads();
  for (std::int64_t i = threadIdx.x; i < (end - begin) * kResampleBlock; i += blockDim.x) {
    const std::int64_t index = block * kResampleBlock + i;
    if (index < item.first || index >= item.first + item.count) {
      continue;
    }
    float value = 0.0F;
    if (copies) {
      value = sample_of(item.view, item.channel, index);
    } else {
      const std::int64_t own = block + i / kResampleBlock;
      const OutputTaps taps(item.shape, item.table, own, i % kResampleBlock);
      value = sum_of(window + (item.shape.position(own * kResampleBlock) - start), taps,
                     static_cast<int>(item.shape.width));
    }
    item.out[index - item.first] = value;
  }
}
