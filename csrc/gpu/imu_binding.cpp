#include <pybind11/stl.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "csrc/arrays.h"
#include "csrc/gpu/binding.h"
#include "kernels/imu_gpu.h"

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
  check_rounds(rounds);
  const py::array samples = require_float32(object, "samples", 3);
  if (samples.shape(1) != kernels::kImuChannels || samples.shape(2) < 2) {
    throw py::value_error("samples has shape " + shape_text(samples) +
                          "; it must be (items, 6, N), N at least 2");
  }
  if (!std::isfinite(rate) || rate <= 0.0) {
    throw py::value_error("the rate is " + std::to_string(rate) + "; it must be above 0");
  }
  const py::ssize_t items = samples.shape(0);
  py::array out =
      output_array(py::none(), input_dtype(half), {items, kernels::kImuChannels, kernels::kImuSteps});
  py::array_t<std::uint32_t> bad(items);
  const kernels::ImuOptions options{gain, offset,
                                    half ? kernels::OutType::kFloat16 : kernels::OutType::kFloat32};
  const auto* const host = static_cast<const float*>(samples.data());
  const auto numbers = static_cast<std::size_t>(samples.size());
  const auto bytes = static_cast<std::size_t>(out.nbytes());
  const auto bad_bytes = static_cast<std::size_t>(bad.nbytes());
  const py::ssize_t count = samples.shape(2);
  void* const result = out.mutable_data();
  std::uint32_t* const bad_result = bad.mutable_data();
  std::vector<double> seconds;
  {
    const py::gil_scoped_release release;
    const BorrowedQueue queue(device);
    const std::vector<kernels::ImuRecording> recordings =
        recordings_of(to_device(*queue, host, numbers), items, count, rate);
    void* const grid = queue->scratch(bytes);
    auto* const not_finite = static_cast<std::uint32_t*>(queue->scratch(bad_bytes));
    seconds = run_rounds(*queue, rounds, [&] {
      kernels::imu_grid_gpu(*queue, recordings.data(), items, options, not_finite, grid);
    });
    queue->download(result, grid, bytes);
    queue->download(bad_result, not_finite, bad_bytes);
    queue->wait();
  }
  return py::make_tuple(out, bad, seconds_array(seconds));
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
