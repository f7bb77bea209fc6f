// The door to the depth op.
#include <cstdint>
#include <string>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/map.h"

namespace py = pybind11;

namespace bindrt {
namespace {

py::tuple depth_square(const py::object& object, const std::string& unit, double focal, double baseline,
                       double depth_scale, bool missing_near, bool half, int threads,
                       const py::object& given) {
  const kernels::Map map = read_map(object);
  require_threads(threads);
  const kernels::DepthOptions options =
      read_depth_options(map, unit, focal, baseline, depth_scale, missing_near, half, threads);
  py::array out = output_array(given, input_dtype(half), {1, kernels::kPictureSide, kernels::kPictureSide});
  require_apart(out, py::reinterpret_borrow<py::array>(object), "the map");
  void* const result = out.mutable_data();
  std::int64_t missing = 0;
  run_kernel([&] { return kernels::depth_square(map, options, result, &missing); });
  return py::make_tuple(out, missing);
}

}  // namespace

void bind_depth(py::module_& module) {
  module.def("depth_square", &depth_square, py::arg("map"), py::arg("unit"), py::arg("focal"),
             py::arg("baseline"), py::arg("depth_scale"), py::arg("missing_near") = false,
             py::arg("half") = false, py::arg("threads") = 1, py::arg("out") = py::none(),
             R"(A depth map as normalised disparity: resized (bilinear, antialiased), centre square.

map: [H, W], integers or floats, the numbers of a row adjacent; unit: m, mm, sunrgbd or disparity; out: an
array to write into, or None. Returns float32 (half: float16) [1, 224, 224], and how many pixels are missing.)");
}

}  // namespace bindrt
