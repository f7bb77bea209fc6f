// Copies of what programs push to live streams.
//
// The interpreter is kept meanwhile: a thread that lets it go may wait milliseconds until it has it again.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/bindings.h"

namespace py = pybind11;

namespace bindrt {
namespace {

constexpr std::size_t kLarge = 64 << 10;  // bytes from which a copy leaves the caches alone

// Whether nobody can change its numbers: they lie in an object of `bytes`.
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

// As memcpy. What is written goes past the caches: the memory is not read first, which takes a third of the
// time, and what the model has in the caches stays there.
void copy_past_caches(std::byte* to, const std::byte* from, std::size_t size) {
#if defined(__SSE2__)
  const std::size_t head = std::min((16 - reinterpret_cast<std::uintptr_t>(to) % 16) % 16, size);
  std::memcpy(to, from, head);
  std::size_t at = head;
  for (; at + 16 <= size; at += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + at),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at)));
  }
  _mm_sfence();
  std::memcpy(to + at, from + at, size - at);
#else
  std::memcpy(to, from, size);
#endif
}

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
  py::array copy(array.dtype(), shape);
  auto* const to = static_cast<std::byte*>(copy.mutable_data());
  const auto* const from = static_cast<const std::byte*>(array.data());
  const auto size = static_cast<std::size_t>(array.nbytes());
  if (size >= kLarge) {
    copy_past_caches(to, from, size);
  } else if (size > 0) {
    std::memcpy(to, from, size);
  }
  return copy;
}

}  // namespace

void bind_owned(py::module_& module) {
  module.def("owned", &owned, py::arg("array"),
             "A copy in C's order; the array itself if it lies in bytes, which nobody can change.");
}

}  // namespace bindrt
