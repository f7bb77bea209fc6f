// Tells usual pieces from others by the fields of their arrays.
#include "csrc/python/live/usual.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "csrc/python/live/owned.h"

namespace py = pybind11;

namespace bindrt {
namespace {

// An array's fields, if it is one and of no subclass.
const py::detail::PyArray_Proxy* plain_array(py::handle object) {
  const auto& numpy = py::detail::npy_api::get();
  if (reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) !=
      reinterpret_cast<PyObject*>(numpy.PyArray_Type_)) {
    return nullptr;
  }
  return py::detail::array_proxy(object.ptr());
}

py::ssize_t size_of(const py::detail::PyArray_Proxy& array) {
  return py::reinterpret_borrow<py::dtype>(array.descr).itemsize();
}

// Rows of an array: its first axis, behind which numbers lie side by side.
std::optional<live::Rows> rows_of(const py::detail::PyArray_Proxy& array, py::ssize_t item) {
  py::ssize_t size = item;
  for (int axis = array.nd - 1; axis > 0; --axis) {
    if (array.strides[axis] != size && array.dimensions[axis] > 1) {
      return std::nullopt;
    }
    size *= array.dimensions[axis];
  }
  return live::Rows{reinterpret_cast<const std::byte*>(array.data), array.dimensions[0],
                    static_cast<std::size_t>(size), array.strides[0]};
}

// [n] as one row, [rows, n] as they are.
std::optional<live::Rows> channels_of(const py::detail::PyArray_Proxy& array, py::ssize_t rows,
                                      py::ssize_t item) {
  if (array.nd == 1 && rows == 1 && (array.strides[0] == item || array.dimensions[0] == 1)) {
    const auto size = static_cast<std::size_t>(array.dimensions[0] * item);
    return live::Rows{reinterpret_cast<const std::byte*>(array.data), 1, size, 0};
  }
  return array.nd == 2 && array.dimensions[0] == rows ? rows_of(array, item) : std::nullopt;
}

std::optional<double> finite(py::handle time) {
  if (!PyFloat_Check(time.ptr())) {
    return std::nullopt;
  }
  const double seconds = PyFloat_AS_DOUBLE(time.ptr());
  return std::isfinite(seconds) ? std::optional(seconds) : std::nullopt;
}

// Doubles of this machine, each at a multiple of its size.
bool are_doubles(const py::detail::PyArray_Proxy& array) {
  return py::dtype::of<double>().is(py::handle(array.descr)) &&
         reinterpret_cast<std::uintptr_t>(array.data) % alignof(double) == 0;
}

bool is_shape(const py::detail::PyArray_Proxy& array, const std::vector<py::ssize_t>& shape) {
  return array.nd == static_cast<int>(shape.size()) &&
         std::equal(shape.begin(), shape.end(), array.dimensions);
}

std::optional<Pushed> block(const py::detail::PyArray_Proxy& array, py::ssize_t channels) {
  const auto rows = channels_of(array, channels, size_of(array));
  const py::ssize_t count = array.nd == 0 ? 0 : array.dimensions[array.nd - 1];
  return rows && count > 0 ? std::optional(Pushed{*rows, count}) : std::nullopt;
}

std::optional<Pushed> frame(py::handle data, const py::detail::PyArray_Proxy& array,
                            const std::vector<py::ssize_t>& shape) {
  const auto rows = is_shape(array, shape) ? rows_of(array, size_of(array)) : std::nullopt;
  if (!rows) {
    return std::nullopt;
  }
  Pushed found{*rows};
  found.is_fixed = array.base != nullptr && lies_in_bytes(py::reinterpret_borrow<py::array>(data));
  return found;
}

// Samples [6, n] with times [n], or one sample [6] with its time.
std::optional<Pushed> samples(const py::detail::PyArray_Proxy& array, py::handle time,
                              const std::vector<py::ssize_t>& shape) {
  const py::ssize_t item = size_of(array);
  if (array.nd == 1 && array.dimensions[0] == shape[0]) {
    const auto seconds = finite(time);
    Pushed found{{reinterpret_cast<const std::byte*>(array.data), shape[0], static_cast<std::size_t>(item),
                  array.strides[0]}};
    found.time_bytes = sizeof(double);
    found.time = found.newest = seconds;
    return seconds ? std::optional(found) : std::nullopt;
  }
  const auto* const times = plain_array(time);
  if (array.nd != 2 || array.dimensions[0] != shape[0] || times == nullptr || !are_doubles(*times) ||
      times->nd != 1 || times->dimensions[0] != array.dimensions[1] || times->dimensions[0] < 1 ||
      (times->strides[0] != sizeof(double) && times->dimensions[0] > 1)) {
    return std::nullopt;
  }
  const auto rows = rows_of(array, item);
  if (!rows) {
    return std::nullopt;
  }
  Pushed found{*rows, array.dimensions[1]};
  found.time_bytes = static_cast<std::size_t>(found.count) * sizeof(double);
  found.times = reinterpret_cast<const double*>(times->data);
  found.newest = found.times[found.count - 1];
  return found;
}

}  // namespace

PieceKind piece_kind(const std::string& name) {
  if (name == "blocks") {
    return PieceKind::kBlocks;
  }
  if (name == "samples") {
    return PieceKind::kSamples;
  }
  if (name != "frames") {
    throw py::value_error("'" + name + "' is not a kind of pieces; it is blocks, frames or samples");
  }
  return PieceKind::kFrames;
}

std::optional<Pushed> Usual::look(py::handle data, py::handle time) const {
  const auto* const array = plain_array(data);
  if (array == nullptr || array->descr != dtype.ptr()) {
    return std::nullopt;
  }
  if (kind == PieceKind::kSamples) {
    return samples(*array, time, shape);
  }
  std::optional<double> seconds;
  if (time.is_none() ? !may_have_no_time : !(seconds = finite(time))) {
    return std::nullopt;
  }
  auto found = kind == PieceKind::kBlocks ? block(*array, shape[0]) : frame(data, *array, shape);
  if (found) {
    found->time = found->newest = seconds;
  }
  return found;
}

}  // namespace bindrt
