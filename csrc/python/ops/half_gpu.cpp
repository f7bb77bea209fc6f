// The door to the conversion to binary16 on a GPU.
#include "kernels/base/half_gpu.h"

#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/gpu/run_op.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

py::tuple to_halves(const py::object& rows, int rounds, int device) {
  const py::array given = require_float32(rows, "rows", 2);
  const py::array out = batch_array(true, {given.shape(0), given.shape(1)});
  const auto count = static_cast<std::size_t>(given.size());
  const auto* const host = static_cast<const float*>(given.data());
  const auto seconds =
      run_op(device, rounds, {out}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) {
        const float* const from = kernels::to_device(queue, host, count);
        return [&queue, from, count, outputs] {
          kernels::to_halves_gpu(queue, from, static_cast<std::int64_t>(count), outputs[0]);
        };
      });
  return py::make_tuple(out, seconds);
}

}  // namespace

void bind_half(py::module_& module) {
  module.def("to_halves", &to_halves, py::arg("rows"), py::kw_only(), py::arg("rounds") = 1,
             py::arg("device") = 0, "Each number as float16, as NumPy rounds it; and the seconds.");
}

}  // namespace bindrt::gpu
