// What the bindings of GPU ops share. Each file csrc/gpu/<op>_binding.cpp runs one op over host arrays, for
// tests and bench/gpu_check.sh: copy in, kernels, copy out.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <functional>

#include "csrc/gpu/process.h"

namespace bindrt::gpu {

// Runs `work` `rounds` times on the queue; returns the seconds that each took on the device, from its first
// copy or kernel to its last. Not a number where the driver is simulated: its time says nothing.
std::vector<double> run_rounds(StreamQueue& queue, int rounds, const std::function<void()>& work);

pybind11::array_t<double> seconds_array(const std::vector<double>& seconds);

// An op's array in device memory: copied there, or to be filled.
template <class T>
T* to_device(StreamQueue& queue, const T* host, std::size_t count) {
  T* const device = static_cast<T*>(queue.scratch(count * sizeof(T)));
  queue.upload(device, host, count * sizeof(T));
  return device;
}

void check_rounds(int rounds);  // ValueError unless 1 to 10000

// One a file; bind_gpu calls them.
void bind_imu(pybind11::module_& module);
void bind_pool(pybind11::module_& module);
void bind_queue(pybind11::module_& module);

}  // namespace bindrt::gpu
