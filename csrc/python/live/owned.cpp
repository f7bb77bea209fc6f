// Copies of what programs push to live streams, where it is not as usual: inbox.cpp copies the rest.
//
// The interpreter is kept meanwhile: a thread that lets it go may wait milliseconds until it has it again.
#include "csrc/python/live/owned.h"

#include <cstddef>
#include <vector>

#include "csrc/live/copy.h"
#include "csrc/python/arguments/arrays.h"
#include "csrc/python/bindings.h"

namespace py = pybind11;

namespace bindrt {
namespace {

py::array owned(const py::array& array) {
  if (lies_in_bytes(array)) {
    return array;
  }
  const std::vector<py::ssize_t> shape(array.shape(), array.shape() + array.ndim());
  if (array.dtype().kind() == 'O') {
    throw py::value_error("pass an array of numbers");
  }
  if (!is_contiguous(array)) {
    const py::bytes held = array.attr("tobytes")();
    return py::array(array.dtype(), shape, {}, PyBytes_AS_STRING(held.ptr()), held);
  }
  py::array made(array.dtype(), shape);
  const auto* const from = static_cast<const std::byte*>(array.data());
  live::copy({from, 1, static_cast<std::size_t>(array.nbytes()), 0},
             static_cast<std::byte*>(made.mutable_data()));
  return made;
}

}  // namespace

bool lies_in_bytes(const py::array& array) {
  py::object base = array;
  while (py::isinstance<py::array>(base)) {
    base = py::reinterpret_borrow<py::array>(base).base();
    if (!base) {
      return false;
    }
  }
  if (PyMemoryView_Check(base.ptr())) {
    PyObject* const of = PyMemoryView_GET_BASE(base.ptr());
    return of != nullptr && PyBytes_Check(of);
  }
  return PyBytes_Check(base.ptr());
}

void bind_owned(py::module_& module) {
  module.def("owned", &owned, py::arg("array"),
             "A copy in C's order; the array itself if it lies in bytes, which nobody can change.");
}

}  // namespace bindrt
