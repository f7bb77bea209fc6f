// Samples of a recording as they lie in memory: any layout, 16- or 32-bit or float.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

enum class SampleType : std::int32_t { kFloat32 = 0, kInt16 = 1, kInt32 = 2 };

// The channel that is the mean of all.
inline constexpr std::int32_t kMeanOfChannels = -1;

// Samples `begin` … `begin + count - 1` of a recording; every other one is zero. Integers count as full
// scale -1 … 1. Plain pointers into the caller's memory; nothing is kept. On the CPU any alignment will
// do; on a GPU samples are aligned to their size.
struct AudioView {
  const void* samples = nullptr;
  SampleType type = SampleType::kFloat32;
  std::int32_t channels = 1;        // >= 1
  std::int64_t begin = 0;           // >= 0
  std::int64_t count = 0;           // >= 0; samples of each channel
  std::int64_t sample_stride = 4;   // bytes from a sample to the next of its channel
  std::int64_t channel_stride = 0;  // bytes from a channel to the next
};

BINDRT_HD float full_scale(float sample) { return sample; }
BINDRT_HD float full_scale(std::int16_t sample) { return static_cast<float>(sample) * 0x1p-15F; }
BINDRT_HD float full_scale(std::int32_t sample) { return static_cast<float>(sample) * 0x1p-31F; }

}  // namespace bindrt::kernels
