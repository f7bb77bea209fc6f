// Reads the fields of arrays without a call into NumPy.
#include "csrc/python/live/fields.h"

#include <cmath>
#include <cstddef>
#include <type_traits>

namespace py = pybind11;

namespace bindrt {

static_assert(std::is_same_v<py::ssize_t, std::ptrdiff_t>, "shapes and strides are read where they are");

std::optional<live::Fields> fields_of(py::handle object) {
  const auto& numpy = py::detail::npy_api::get();
  if (reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) !=
      reinterpret_cast<PyObject*>(numpy.PyArray_Type_)) {
    return std::nullopt;
  }
  const py::detail::PyArray_Proxy& array = *py::detail::array_proxy(object.ptr());
  const auto item = static_cast<std::size_t>(py::reinterpret_borrow<py::dtype>(array.descr).itemsize());
  return live::Fields{
      array.descr,  reinterpret_cast<const std::byte*>(array.data), item, array.nd, array.dimensions,
      array.strides};
}

live::Moment moment_of(py::handle time) {
  using Kind = live::Moment::Kind;
  if (time.is_none()) {
    return {};
  }
  if (PyFloat_Check(time.ptr())) {
    const double seconds = PyFloat_AS_DOUBLE(time.ptr());
    return {std::isfinite(seconds) ? Kind::kSeconds : Kind::kOther, seconds};
  }
  const auto times = fields_of(time);
  const bool are_doubles = times && py::dtype::of<double>().ptr() == times->type;
  return are_doubles ? live::Moment{Kind::kTimes, 0, *times} : live::Moment{Kind::kOther};
}

}  // namespace bindrt
