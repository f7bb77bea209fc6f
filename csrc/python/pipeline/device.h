// The GPU of a pipeline, as Python's options describe it.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <vector>

#include "csrc/gpu/batch_device.h"
#include "csrc/python/pipeline/calls.h"

namespace bindrt {

// What the options of a GPU say of preparing.
DeviceParts parts_of(const pybind11::dict& gpu);

// The GPU on which batches run. `gpu` is what runtime/bindrt/pipeline/gpu_engine.py says: "device", "input",
// "sets", "graphs", "makes_rows"; may have "scratch" and "whole", bytes of gpu::BatchDeviceOptions; "decode"
// with "decode_from"; and "films_from". ValueError for an input that is not known.
std::shared_ptr<gpu::BatchDevice> batch_device(const pybind11::dict& gpu,
                                               const std::vector<pipeline::LaneOptions>& lanes,
                                               std::shared_ptr<PythonCalls> calls);

}  // namespace bindrt
