#include "csrc/python/arguments/arrays.h"

#include <algorithm>
#include <cstdint>
#include <functional>

namespace py = pybind11;

namespace bindrt {

std::string shape_text(const py::array& array) { return py::str(array.attr("shape")).cast<std::string>(); }

py::array require_float32(const py::object& object, const char* name, py::ssize_t ndim) {
  const std::string who(name);
  if (!py::isinstance<py::array>(object)) {
    throw py::value_error(who + " is a " + Py_TYPE(object.ptr())->tp_name + "; pass a NumPy float32 array");
  }
  const py::array array = py::reinterpret_borrow<py::array>(object);
  if (!array.dtype().equal(py::dtype::of<float>())) {
    throw py::value_error(who + " has dtype " + py::str(array.dtype()).cast<std::string>() +
                          "; it must be float32 of this machine's byte order");
  }
  if (array.ndim() != ndim) {
    throw py::value_error(who + " has shape " + shape_text(array) + "; it must have " + std::to_string(ndim) +
                          " dimensions");
  }
  const bool contiguous = (array.flags() & py::array::c_style) != 0;
  const bool aligned = reinterpret_cast<std::uintptr_t>(array.data()) % alignof(float) == 0;
  if (!contiguous || !aligned) {
    throw py::value_error(who + " is not C-contiguous and aligned; pass numpy.ascontiguousarray(" + who +
                          ")");
  }
  return array;
}

py::array output_array(const py::object& given, const py::dtype& dtype,
                       const std::vector<py::ssize_t>& shape) {
  if (given.is_none()) {
    return {dtype, shape};
  }
  if (!py::isinstance<py::array>(given)) {
    throw py::value_error(std::string("out is a ") + Py_TYPE(given.ptr())->tp_name + "; pass a NumPy array");
  }
  auto array = py::reinterpret_borrow<py::array>(given);
  const bool same_shape = array.ndim() == static_cast<py::ssize_t>(shape.size()) &&
                          std::equal(shape.begin(), shape.end(), array.shape());
  if (!same_shape || !array.dtype().equal(dtype)) {
    throw py::value_error("out has shape " + shape_text(array) + " and dtype " +
                          py::str(array.dtype()).cast<std::string>() + "; it must be " +
                          shape_text(py::array(dtype, shape)) + " and " + py::str(dtype).cast<std::string>());
  }
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(array.data()) % static_cast<std::uintptr_t>(dtype.itemsize()) == 0;
  if ((array.flags() & py::array::c_style) == 0 || !aligned || !array.writeable()) {
    throw py::value_error("out is read-only, or not C-contiguous and aligned");
  }
  return array;
}

py::dtype input_dtype(bool half) { return half ? py::dtype("float16") : py::dtype::of<float>(); }

void require_threads(int threads) {
  constexpr int kMost = 1024;
  if (threads < 1 || threads > kMost) {
    throw py::value_error("threads is " + std::to_string(threads) + "; it is 1 to " + std::to_string(kMost));
  }
}

bool overlap(const py::array& a, const py::array& b) {
  const auto* const a_begin = static_cast<const char*>(a.data());
  const auto* const b_begin = static_cast<const char*>(b.data());
  const std::less<const char*> before;  // a total order, also across separate allocations
  return before(a_begin, b_begin + b.nbytes()) && before(b_begin, a_begin + a.nbytes());
}

}  // namespace bindrt
