// Log-mel spectra of recordings' clips on a GPU: as kernels/mel/mel.h, with the means of overlapping clips.
#pragma once

#include <cstdint>

#include "kernels/base/gpu.h"
#include "kernels/mel/mel_params.h"

namespace bindrt::kernels {

// Computes all clips of all recordings into output.out, in device memory. The results are those of log_mel
// bit for bit, unless clips overlap: a mean is added up in another order. output.columns must be below
// 2^20. Throws std::runtime_error as the queue does, and std::bad_alloc.
void log_mel_gpu(GpuQueue& queue, const MelRecording* recordings, std::int64_t count,
                 const MelOutput& output);

}  // namespace bindrt::kernels
