// The door to the pool op on a GPU.
#include "kernels/pool/pool_gpu.h"

#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/pool.h"
#include "csrc/python/gpu/run_op.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

py::tuple pool_views(const py::object& views, const py::object& counts, const py::object& weights,
                     bool normalize, double scale, bool half, int rounds, int device) {
  const PoolArguments given = read_pool_arguments(views, counts, weights, scale);
  const py::array out =
      batch_array(half, {static_cast<py::ssize_t>(given.counts.size()), given.views.shape(1)});
  const kernels::PoolInput host = given.input();
  const kernels::PoolOptions options{normalize, scale, out_type(half)};
  const auto rows = static_cast<std::size_t>(given.views.shape(0));
  const auto seconds =
      run_op(device, rounds, {out}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) {
        kernels::PoolInput input = host;
        input.views = kernels::to_device(queue, host.views, rows * static_cast<std::size_t>(host.dim));
        if (host.weights != nullptr) {
          input.weights = kernels::to_device(queue, host.weights, rows);
        }
        return [&queue, &host, &options, input, outputs] {
          kernels::pool_views_gpu(queue, input, host.weights, options, outputs[0]);
        };
      });
  return py::make_tuple(out, seconds);
}

}  // namespace

void bind_pool(py::module_& module) {
  module.def("pool_views", &pool_views, py::arg("views"), py::arg("counts"), py::arg("weights") = py::none(),
             py::kw_only(), py::arg("normalize") = true, py::arg("scale") = 1.0, py::arg("half") = false,
             py::arg("rounds") = 1, py::arg("device") = 0, "As `_core.pool_views`; and the seconds.");
}

}  // namespace bindrt::gpu
