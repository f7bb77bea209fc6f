// The simulated model's encoder: (item + row / 64, 1, length), and no such number from a row that is not
// whole.
#include "kernels/base/cuda/device.h"
#include "tests/cudasim/encoder_params.h"

extern "C" __global__ void bindrt_encoder_rows(bindrt::cudasim::encoder::RowsParams p) {
  const float* const row = p.rows + static_cast<std::int64_t>(blockIdx.x) * p.numbers;
  float* const out = p.out + static_cast<std::int64_t>(blockIdx.x) * 3;
  if (threadIdx.x == 0) {
    bool whole = true;
    for (std::int64_t i = 2; i < p.numbers; ++i) {
      whole = whole && row[i] == row[1];
    }
    out[0] = whole ? row[1] + row[0] / 64.0F : -1e30F;
    out[1] = 1.0F;
    out[2] = static_cast<float>(p.length);
  }
}
