// The door to the IMU op on a GPU.
#include "kernels/imu/imu_gpu.h"

#include <pybind11/stl.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/gpu/run_op.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

using Factors = std::array<double, kernels::kImuChannels>;

// The recordings in device memory, as many of their samples as the grid depends on.
std::vector<kernels::ImuRecording> recordings_of(const float* device, py::ssize_t items, py::ssize_t count,
                                                 double rate) {
  const kernels::ImuTimes times{kernels::ImuTimes::Type::kRate, rate, nullptr};
  const std::int64_t used =
      kernels::check_imu_times(times, count, std::numeric_limits<double>::infinity()).used;
  std::vector<kernels::ImuRecording> recordings;
  for (py::ssize_t item = 0; item < items; ++item) {
    const float* const samples = device + item * kernels::kImuChannels * count;
    recordings.push_back({{samples, kernels::ImuSamples::Type::kFloat32, used, count, 1}, times});
  }
  return recordings;
}

py::tuple imu_grid(const py::object& object, double rate, const Factors& gain, const Factors& offset,
                   bool half, int rounds, int device) {
  const py::array samples = require_float32(object, "samples", 3);
  if (samples.shape(1) != kernels::kImuChannels || samples.shape(2) < 2) {
    throw py::value_error("samples has shape " + shape_text(samples) +
                          "; it must be (items, 6, N), N at least 2");
  }
  if (!std::isfinite(rate) || rate <= 0.0) {
    throw py::value_error("the rate is " + std::to_string(rate) + "; it must be above 0");
  }
  const py::ssize_t items = samples.shape(0);
  const py::array out = batch_array(half, {items, kernels::kImuChannels, kernels::kImuSteps});
  const py::array_t<std::uint32_t> bad(items);
  const kernels::ImuOptions options{gain, offset, out_type(half)};
  const auto* const host = static_cast<const float*>(samples.data());
  const auto numbers = static_cast<std::size_t>(samples.size());
  const py::ssize_t count = samples.shape(2);
  const auto seconds =
      run_op(device, rounds, {out, bad}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) {
        const auto recordings = recordings_of(kernels::to_device(queue, host, numbers), items, count, rate);
        return [&queue, &options, items, recordings, outputs] {
          kernels::imu_grid_gpu(queue, recordings.data(), items, options,
                                static_cast<std::uint32_t*>(outputs[1]), outputs[0]);
        };
      });
  return py::make_tuple(out, bad, seconds);
}

}  // namespace

void bind_imu(py::module_& module) {
  module.def(
      "imu_grid", &imu_grid, py::arg("samples"), py::arg("rate"), py::arg("gain"), py::arg("offset"),
      py::kw_only(), py::arg("half") = false, py::arg("rounds") = 1, py::arg("device") = 0,
      "As `_core.imu_grid`, for float32 [items, 6, N] of one rate: the grids, how many numbers of each "
      "item are not finite, and the seconds.");
}

}  // namespace bindrt::gpu
