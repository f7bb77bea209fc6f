#include <vector>

#include "csrc/arrays.h"
#include "csrc/gpu/binding.h"
#include "csrc/pool_arguments.h"
#include "kernels/pool_gpu.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

py::tuple pool_views(const py::object& views, const py::object& counts, const py::object& weights,
                     bool normalize, double scale, bool half, int rounds, int device) {
  check_rounds(rounds);
  const PoolArguments given = read_pool_arguments(views, counts, weights, scale);
  py::array out = output_array(py::none(), input_dtype(half),
                               {static_cast<py::ssize_t>(given.counts.size()), given.views.shape(1)});
  const kernels::PoolInput host = given.input();
  const kernels::PoolOptions options{normalize, scale,
                                     half ? kernels::OutType::kFloat16 : kernels::OutType::kFloat32};
  const auto rows = static_cast<std::size_t>(given.views.shape(0));
  const auto bytes = static_cast<std::size_t>(out.nbytes());
  void* const result = out.mutable_data();
  std::vector<double> seconds;
  {
    const py::gil_scoped_release release;
    const BorrowedQueue queue(device);
    kernels::PoolInput input = host;
    input.views = to_device(*queue, host.views, rows * static_cast<std::size_t>(host.dim));
    if (host.weights != nullptr) {
      input.weights = to_device(*queue, host.weights, rows);
    }
    void* const pooled = queue->scratch(bytes);
    seconds = run_rounds(*queue, rounds,
                         [&] { kernels::pool_views_gpu(*queue, input, host.weights, options, pooled); });
    queue->download(result, pooled, bytes);
    queue->wait();
  }
  return py::make_tuple(out, seconds_array(seconds));
}

}  // namespace

void bind_pool(py::module_& module) {
  module.def("pool_views", &pool_views, py::arg("views"), py::arg("counts"), py::arg("weights") = py::none(),
             py::kw_only(), py::arg("normalize") = true, py::arg("scale") = 1.0, py::arg("half") = false,
             py::arg("rounds") = 1, py::arg("device") = 0, "As `_core.pool_views`; and the seconds.");
}

}  // namespace bindrt::gpu
