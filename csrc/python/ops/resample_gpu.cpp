// The door to the resampling op on a GPU.
#include "kernels/resample/resample_gpu.h"

#include <cmath>
#include <string>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/resample.h"
#include "csrc/python/gpu/run_op.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

py::tuple resample(const py::object& object, std::int64_t orig, std::int64_t target, int rounds, int device) {
  const py::array samples = require_float32(object, "samples", 2);
  const kernels::ResampleRates rates = read_rates(orig, target);
  if (!kernels::resamples_on_gpu(rates)) {
    throw py::value_error("from " + std::to_string(orig) + " to " + std::to_string(target) +
                          " is too far for a GPU, whose shared memory must hold a window of the filter");
  }
  const py::ssize_t items = samples.shape(0);
  const py::ssize_t count = samples.shape(1);
  const double most = std::ldexp(1.0, 61) / static_cast<double>(rates.orig) - 1.0;
  const double all = std::ceil(static_cast<double>(count) * static_cast<double>(rates.target) /
                               static_cast<double>(rates.orig));
  if (all > std::min(most, std::ldexp(1.0, 42))) {
    throw py::value_error(std::to_string(count) + " samples are too many for these rates");
  }
  const std::int64_t wanted = (count * rates.target + rates.orig - 1) / rates.orig;
  const py::array out = batch_array(false, {items, wanted});
  const auto* const host = static_cast<const float*>(samples.data());
  const auto numbers = static_cast<std::size_t>(samples.size());
  const auto seconds =
      run_op(device, rounds, {out}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) {
        const float* const moved = kernels::to_device(queue, host, numbers);
        std::vector<kernels::ResampleItem> made;
        for (py::ssize_t item = 0; item < items; ++item) {
          kernels::AudioView view;
          view.samples = moved + item * count;
          view.count = count;
          made.push_back({rates, view, 0, 0, wanted, static_cast<float*>(outputs[0]) + item * wanted});
        }
        return [&queue, made] {
          kernels::resample_gpu(queue, made.data(), static_cast<std::int64_t>(made.size()));
        };
      });
  return py::make_tuple(out, seconds);
}

}  // namespace

void bind_resample(py::module_& module) {
  module.def("resample", &resample, py::arg("samples"), py::arg("orig"), py::arg("target"), py::kw_only(),
             py::arg("rounds") = 1, py::arg("device") = 0,
             "As `_core.resample`, for float32 [items, N]: all outputs of each, and the seconds.");
}

}  // namespace bindrt::gpu
