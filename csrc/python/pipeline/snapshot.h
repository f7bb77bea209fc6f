// What a pipeline counts, as dictionaries.
#pragma once

#include <pybind11/pybind11.h>

#include "csrc/pipeline/pipeline.h"

namespace bindrt {

// A lane's counts, depths, batch sizes and seconds by stage.
pybind11::dict lane_snapshot(pipeline::Pipeline& core, int lane);

// By stage: how many took less than 2^bits nanoseconds, for bits from `least` to `most`; then all.
pybind11::dict times_below_powers(const pipeline::Pipeline& core, int lane, int least, int most);

}  // namespace bindrt
