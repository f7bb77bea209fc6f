// The structs of the resampling op that host and device share.
#pragma once

#include "kernels/resample/audio_sample.h"
#include "kernels/resample/resample_taps.h"

namespace bindrt::kernels {

// One range of outputs of one channel.
struct ResampleGpuItem {
  AudioView view;  // its samples in device memory
  std::int32_t channel = 0;
  std::int32_t tile = 1;         // blocks of outputs that a block of threads computes
  ResampleShape shape;           // orig == target: copies
  const float* table = nullptr;  // taps as ResampleFilter's, or null: computed one by one
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t first_block = 0;  // the block of outputs that holds `first`
  std::int64_t blocks = 0;
  float* out = nullptr;
};

// bindrt_resample: grid.y is the number of items, grid.x that of the most tiles of any.
struct ResampleParams {
  const ResampleGpuItem* items;
};

struct ResampleTable {
  ResampleShape shape;
  float* taps = nullptr;  // [shape.blocks][shape.block_size()]
};

// bindrt_resample_taps: grid.y is the number of tables.
struct ResampleTapsParams {
  const ResampleTable* tables;
};

}  // namespace bindrt::kernels
