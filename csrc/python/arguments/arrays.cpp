// Checks of arrays that come from Python, with messages that say what would be right.
#include "csrc/python/arguments/arrays.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>

namespace py = pybind11;

namespace bindrt {
namespace {

struct Memory {
  std::uintptr_t begin;
  std::uintptr_t end;
};

// The bytes between the first and the last that an array refers to; any strides.
Memory memory_of(const py::array& array) {
  const auto first = reinterpret_cast<std::uintptr_t>(array.data());
  if (array.size() == 0) {
    return {first, first};
  }
  py::ssize_t before = 0;
  py::ssize_t after = array.itemsize();
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
    const py::ssize_t reach = (array.shape(axis) - 1) * array.strides(axis);
    (reach < 0 ? before : after) += reach;
  }
  return {first - static_cast<std::uintptr_t>(-before), first + static_cast<std::uintptr_t>(after)};
}

}  // namespace

std::string shape_text(const py::array& array) { return py::str(array.attr("shape")).cast<std::string>(); }

std::string dtype_text(const py::array& array) { return py::str(array.dtype()).cast<std::string>(); }

bool is_aligned(const py::array& array) {
  return reinterpret_cast<std::uintptr_t>(array.data()) % static_cast<std::uintptr_t>(array.itemsize()) == 0;
}

bool is_contiguous(const py::array& array) { return (array.flags() & py::array::c_style) != 0; }

py::array require_array(const py::object& object, const char* name, const char* wanted) {
  if (!py::isinstance<py::array>(object)) {
    throw py::value_error(std::string(name) + " is a " + Py_TYPE(object.ptr())->tp_name + "; pass a NumPy " +
                          wanted);
  }
  return py::reinterpret_borrow<py::array>(object);
}

py::array require_float32(const py::object& object, const char* name, py::ssize_t ndim) {
  const std::string who(name);
  const py::array array = require_array(object, name, "float32 array");
  if (!array.dtype().equal(py::dtype::of<float>())) {
    throw py::value_error(who + " has dtype " + dtype_text(array) +
                          "; it must be float32 of this machine's byte order");
  }
  if (array.ndim() != ndim) {
    throw py::value_error(who + " has shape " + shape_text(array) + "; it must have " + std::to_string(ndim) +
                          " dimensions");
  }
  if (!is_contiguous(array) || !is_aligned(array)) {
    throw py::value_error(who + " is not C-contiguous and aligned; pass numpy.ascontiguousarray(" + who +
                          ")");
  }
  return array;
}

void require_writeable(const py::array& out) {
  if (!is_contiguous(out) || !is_aligned(out)) {
    throw py::value_error("out is not C-contiguous and aligned");
  }
  if (!out.writeable()) {
    throw py::value_error("out is read-only");
  }
}

py::array output_array(const py::object& given, const py::dtype& dtype,
                       const std::vector<py::ssize_t>& shape) {
  if (given.is_none()) {
    return {dtype, shape};
  }
  auto array = require_array(given, "out");
  if (!array.dtype().equal(dtype)) {
    throw py::value_error("out has dtype " + dtype_text(array) + "; it must be " +
                          py::str(dtype).cast<std::string>());
  }
  if (!std::equal(shape.begin(), shape.end(), array.shape(), array.shape() + array.ndim())) {
    throw py::value_error("out has shape " + shape_text(array) + "; it must be " +
                          py::str(py::tuple(py::cast(shape))).cast<std::string>());
  }
  require_writeable(array);
  return array;
}

void require_apart(const py::array& out, const py::array& input, const char* name) {
  const Memory ours = memory_of(out);
  const Memory theirs = memory_of(input);
  if (ours.begin < theirs.end && theirs.begin < ours.end) {
    throw py::value_error(std::string("out shares memory with ") + name);
  }
}

py::dtype input_dtype(bool half) { return half ? py::dtype("float16") : py::dtype::of<float>(); }

kernels::OutType out_type(bool half) {
  return half ? kernels::OutType::kFloat16 : kernels::OutType::kFloat32;
}

void require_threads(int threads) {
  constexpr int kMost = 1024;
  if (threads < 1 || threads > kMost) {
    throw py::value_error("threads is " + std::to_string(threads) + "; it is 1 to " + std::to_string(kMost));
  }
}

}  // namespace bindrt
