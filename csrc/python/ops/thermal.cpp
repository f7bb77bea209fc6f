// The door to the thermal op, and to the statistics of maps.
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/map.h"
#include "csrc/python/gil.h"
#include "kernels/map/map_statistics.h"

namespace py = pybind11;

namespace bindrt {
namespace {

py::array thermal_square(const py::object& object, const std::optional<double>& low,
                         const std::optional<double>& high, bool half, int threads, const py::object& given) {
  const kernels::Map frame = read_map(object);
  require_threads(threads);
  const bool stretch = has_range(frame, low, high);
  py::array out = output_array(given, input_dtype(half), {1, kernels::kPictureSide, kernels::kPictureSide});
  require_apart(out, py::reinterpret_borrow<py::array>(object), "the map");
  void* const result = out.mutable_data();
  run_kernel([&] {
    return stretch ? kernels::thermal_stretched(frame, {*low, *high, out_type(half), threads}, result)
                   : kernels::thermal_bytes(frame, out_type(half), result, threads);
  });
  return out;
}

std::int64_t count_not_finite(const py::object& object, int threads) {
  const kernels::Map map = read_map(object);
  require_threads(threads);
  const WithoutGil release;
  return kernels::count_not_finite(map, threads);
}

double checked_percent(double percent) {
  if (!(percent >= 0.0 && percent <= 100.0)) {
    throw py::value_error("a percentile is " + std::to_string(percent) + "; it is 0 to 100");
  }
  return percent;
}

py::tuple map_percentiles(const py::object& object, double low, double high) {
  const kernels::Map map = read_map(object);
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  if (std::int64_t{map.width} * map.height > kMost) {
    throw py::value_error("the map has more than 2^32 numbers");
  }
  const double percents[] = {checked_percent(low), checked_percent(high)};
  double values[2] = {};
  run_kernel([&] { return kernels::map_percentiles(map, percents, 2, values); });
  return py::make_tuple(values[0], values[1]);
}

}  // namespace

void bind_thermal(py::module_& module) {
  module.def("thermal_square", &thermal_square, py::arg("frame"), py::arg("low") = py::none(),
             py::arg("high") = py::none(), py::arg("half") = false, py::arg("threads") = 1,
             py::arg("out") = py::none(),
             R"(A thermal frame as 0 to 1: resized (bicubic, antialiased), centre square.

frame: [H, W], finite, the numbers of a row adjacent; low, high: what becomes 0 and 1, or None for uint8 frames,
which are resized on 8 bits; out: an array to write into, or None. Returns float32 (half: float16) [1, 224, 224].)");
  module.def("count_not_finite", &count_not_finite, py::arg("map"), py::arg("threads") = 1,
             "How many numbers of a map [H, W] are NaN or infinite.");
  module.def("map_percentiles", &map_percentiles, py::arg("map"), py::arg("low"), py::arg("high"),
             "Two percentiles of a map [H, W] of finite numbers, as numpy.percentile interpolates them.");
}

}  // namespace bindrt
