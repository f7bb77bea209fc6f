// Parameters of the encoder of tests/csrc/pipeline/simulated_pipeline.h as a kernel.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::cudasim::encoder {

struct RowsParams {
  const float* rows;     // [gridDim.x, numbers]
  float* out;            // [gridDim.x, 3]
  std::int64_t numbers;  // of a row
  std::int64_t length;   // of its class
};

}  // namespace bindrt::cudasim::encoder
