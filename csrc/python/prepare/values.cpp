// What of Python's values is plain enough.
#include "csrc/python/prepare/values.h"

#include <pybind11/numpy.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace py = pybind11;

namespace bindrt {
namespace {

py::object owned_or_null(PyObject* found) {
  if (found == nullptr) {
    PyErr_Clear();
  }
  return py::reinterpret_steal<py::object>(found);
}

std::optional<prepare::Array::Kind> kind_of(char kind) {
  switch (kind) {
    case 'f':
      return prepare::Array::Kind::kFloat;
    case 'i':
      return prepare::Array::Kind::kInt;
    case 'u':
      return prepare::Array::Kind::kUint;
    default:
      return std::nullopt;
  }
}

std::optional<std::int64_t> whole_number(const py::handle& object) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
  return overflow == 0 ? std::optional<std::int64_t>(number) : std::nullopt;
}

std::optional<std::vector<double>> numbers_of(const py::handle& list) {
  std::vector<double> numbers;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.ptr()); ++i) {
    const py::handle each = PySequence_Fast_GET_ITEM(list.ptr(), i);
    if (PyFloat_Check(each.ptr())) {
      numbers.push_back(PyFloat_AS_DOUBLE(each.ptr()));
      continue;
    }
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    const auto whole = PyLong_CheckExact(each.ptr()) ? whole_number(each) : std::nullopt;
    if (!whole || *whole > kExact || *whole < -kExact) {
      return std::nullopt;
    }
    numbers.push_back(static_cast<double>(*whole));
  }
  return numbers;
}

// An array [N] as numbers.
std::optional<std::vector<double>> numbers_of_array(const py::handle& object) {
  const auto array = py::reinterpret_borrow<py::array>(object);
  if (array.ndim() != 1 || !kind_of(array.dtype().kind())) {
    return std::nullopt;
  }
  const auto found = py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(object);
  return found ? std::optional(std::vector<double>(found.data(), found.data() + found.size())) : std::nullopt;
}

bool is_list(const py::handle& object) {
  return PyTuple_CheckExact(object.ptr()) || PyList_CheckExact(object.ptr());
}

// Lists or arrays of numbers in a list.
std::optional<std::vector<std::vector<double>>> lists_of(const py::handle& list) {
  std::vector<std::vector<double>> lists;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.ptr()); ++i) {
    const py::handle each = PySequence_Fast_GET_ITEM(list.ptr(), i);
    auto numbers = is_list(each) ? numbers_of(each) : is_array(each) ? numbers_of_array(each) : std::nullopt;
    if (!numbers) {
      return std::nullopt;
    }
    lists.push_back(*std::move(numbers));
  }
  return lists;
}

// Whether a text may be a URI: sources/locations.py knows.
bool may_be_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return false;
  }
  return text.find("://") != std::string_view::npos || text.find("::") != std::string_view::npos ||
         colon == 4;  // file: and data:
}

}  // namespace

py::object attribute(const py::handle& object, const py::handle& name) {
  return owned_or_null(PyObject_GetAttr(object.ptr(), name.ptr()));
}

py::object call_method(const py::handle& object, const char* name) {
  return owned_or_null(PyObject_CallMethod(object.ptr(), name, nullptr));
}

bool is_array(const py::handle& object) {
  return Py_TYPE(object.ptr()) == py::detail::npy_api::get().PyArray_Type_;
}

py::object without_gaps(py::object array) {
  constexpr py::ssize_t kFew = 65536;  // bytes, copied in some microseconds
  const auto given = py::reinterpret_borrow<py::array>(array);
  if ((given.flags() & py::array::c_style) != 0 || given.nbytes() > kFew) {
    return array;
  }
  py::object copy = py::array::ensure(array, py::array::c_style);
  return copy ? copy : array;
}

std::optional<prepare::Array> array_of(const py::handle& object) {
  const auto array = py::reinterpret_borrow<py::array>(object);
  constexpr int kAligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  constexpr int kWanted = static_cast<int>(py::array::c_style) | kAligned;
  const py::dtype dtype = array.dtype();
  const auto kind = kind_of(dtype.kind());
  const char order = dtype.byteorder();
  if (!kind || (array.flags() & kWanted) != kWanted || (order != '=' && order != '|') || array.size() == 0) {
    return std::nullopt;
  }
  return prepare::Array{array.data(), *kind, static_cast<int>(dtype.itemsize()) * 8,
                        std::vector<std::int64_t>(array.shape(), array.shape() + array.ndim())};
}

std::optional<prepare::Path> path_of(const py::handle& text) {
  const py::object plain = owned_or_null(PyOS_FSPath(text.ptr()));
  if (!plain || !PyUnicode_Check(plain.ptr())) {
    return std::nullopt;
  }
  const py::object encoded = owned_or_null(PyUnicode_EncodeFSDefault(plain.ptr()));
  if (!encoded) {
    return std::nullopt;
  }
  const auto name = static_cast<std::string_view>(py::reinterpret_borrow<py::bytes>(encoded));
  const bool is_plain = !name.empty() && name.front() != '~' && name.find('\0') == std::string_view::npos;
  return is_plain && !may_be_uri(name) ? std::optional(prepare::Path{std::string(name)}) : std::nullopt;
}

std::optional<prepare::Value> value_of(const py::handle& object) {
  PyObject* const value = object.ptr();
  if (PyBool_Check(value)) {
    return value == Py_True;
  }
  if (PyLong_CheckExact(value)) {
    const auto whole = whole_number(object);
    return whole ? std::optional<prepare::Value>(*whole) : std::nullopt;
  }
  if (PyFloat_Check(value)) {
    return PyFloat_AS_DOUBLE(value);
  }
  if (PyUnicode_CheckExact(value)) {
    Py_ssize_t size = 0;
    const char* const text = PyUnicode_AsUTF8AndSize(value, &size);
    if (text == nullptr) {
      PyErr_Clear();
      return std::nullopt;
    }
    return std::string(text, static_cast<std::size_t>(size));
  }
  if (is_list(object)) {
    if (auto numbers = numbers_of(object)) {
      return *std::move(numbers);
    }
    auto lists = lists_of(object);
    return lists ? std::optional<prepare::Value>(*std::move(lists)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace bindrt
