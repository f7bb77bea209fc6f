// Runs an op on a GPU over host arrays: copy in, kernels, copy out. Each file csrc/python/ops/<op>_gpu.cpp
// does that with one op, for tests and bench/gpu_check.sh. Items of one call may have any sizes, but for
// audio and IMU, whose recordings have one.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <functional>
#include <vector>

#include "csrc/gpu/process.h"
#include "kernels/map/map.h"

namespace bindrt::gpu {

// An op's inputs put on a device, and what runs it once. `outputs` are in device memory, one for each array.
using Work = std::function<void()>;
using Prepare = std::function<Work(kernels::GpuQueue& queue, const std::vector<void*>& outputs)>;

// Runs an op `rounds` times on a device, without the GIL, and copies what it made into the arrays; ValueError
// unless `rounds` is 1 to 10000. Returns the seconds of each round, `OpTimes` in gpu.pyi:
// - `rounds`: of the op, from its first copy or kernel to its last; tables that the host makes are in it.
// - `kernels`: by name, of that kernel's launches alone.
// Not numbers where the driver is simulated: its time says nothing.
pybind11::dict run_op(int device, int rounds, const std::vector<pybind11::array>& outputs,
                      const Prepare& prepare);

// Rows of host memory, `stride` bytes apart and of any order, as they lie; returns where the first one is.
const void* rows_to_device(kernels::GpuQueue& queue, const void* first, std::int64_t row_bytes,
                           std::int64_t rows, std::int64_t stride);

// The maps of a list, checked; and the same maps in device memory.
std::vector<kernels::Map> read_maps(const pybind11::sequence& objects);
std::vector<kernels::Map> maps_to_device(kernels::GpuQueue& queue, const std::vector<kernels::Map>& maps);

// A new array for what an op makes of some items.
pybind11::array batch_array(bool half, const std::vector<pybind11::ssize_t>& shape);

}  // namespace bindrt::gpu
