// Resampling on a GPU, with the same bits as on the CPU.
#pragma once

#include <cstdint>

#include "kernels/base/gpu.h"
#include "kernels/resample/resample.h"

namespace bindrt::kernels {

// Asks for outputs [first, first + count) of a channel, as a call of `resample` does. All pointers are to
// device memory.
struct ResampleItem {
  ResampleRates rates;  // must satisfy resamples_on_gpu
  AudioView view;
  std::int32_t channel = 0;
  std::int64_t first = 0;
  std::int64_t count = 0;
  float* out = nullptr;
};

// Whether the GPU takes these rates: `resamples`, and a window fits shared memory (ratios up to 750).
bool resamples_on_gpu(const ResampleRates& rates) noexcept;

// Resamples all items, of any rates and lengths, in a few launches. Throws std::runtime_error as the queue
// does, and std::bad_alloc.
void resample_gpu(GpuQueue& queue, const ResampleItem* items, std::int64_t count);

}  // namespace bindrt::kernels
