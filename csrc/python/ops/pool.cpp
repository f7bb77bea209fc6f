// The door to the pool op.
#include "csrc/python/arguments/pool.h"

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/gil.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/vector_problem.h"

namespace py = pybind11;

namespace bindrt {
namespace {

py::array pool_views(const py::object& views_object, const py::object& counts_object,
                     const py::object& weights_object, bool normalize, const py::object& out_object,
                     double scale) {
  const PoolArguments given = read_pool_arguments(views_object, counts_object, weights_object, scale);
  py::array out = output_array(out_object, input_dtype(false),
                               {static_cast<py::ssize_t>(given.counts.size()), given.views.shape(1)});
  require_apart(out, given.views, "views");
  if (given.weights) {
    require_apart(out, *given.weights, "weights");
  }
  const kernels::PoolInput input = given.input();
  const kernels::PoolOptions options{normalize, scale};
  void* const result = out.mutable_data();
  {
    const WithoutGil release;
    kernels::pool_views(input, options, result);
  }
  return out;
}

// The rows that may not be handed out, each with the problem.
py::list vector_problems(const py::array_t<float, py::array::c_style>& rows, bool normalized) {
  if (rows.ndim() != 2) {
    throw py::value_error("rows are [N, D]");
  }
  py::list found;
  for (py::ssize_t i = 0; i < rows.shape(0); ++i) {
    if (const char* const problem = kernels::vector_problem(rows.data(i, 0), rows.shape(1), normalized)) {
      found.append(py::make_tuple(i, problem));
    }
  }
  return found;
}

}  // namespace

void bind_pool(py::module_& module) {
  module.def("pool_views", &pool_views, py::arg("views"), py::arg("counts"), py::arg("weights") = py::none(),
             py::arg("normalize") = true, py::arg("out") = py::none(), py::arg("scale") = 1.0,
             R"(Pool the views of each item to one vector: weighted mean, then unit length, then scale.

views: float32 [rows, D]; counts: [items] whole numbers, consecutive rows of each item;
weights: float32 [rows] or None for equal ones; out: float32 [items, D] to write into, or None.
Returns float32 [items, D]. Raises ValueError for anything that does not fit.)");
  module.def(
      "vector_problems", &vector_problems, py::arg("rows"), py::arg("normalized"),
      "Indices and problems of rows, float32 [N, D], that are not finite, zero, or not of unit length.");
}

}  // namespace bindrt
