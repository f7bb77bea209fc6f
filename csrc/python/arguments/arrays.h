// What the bindings of all ops share: checks of arrays that come from Python, the arrays that results are
// written to, and the call of a kernel. No array is converted: a silent copy would hide a mistake.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <new>
#include <string>
#include <vector>

#include "csrc/python/gil.h"
#include "kernels/base/portable.h"

namespace bindrt {

// "(3, 4)" and "float32": shape and type as Python writes them.
std::string shape_text(const pybind11::array& array);
std::string dtype_text(const pybind11::array& array);

// Whether the numbers lie at multiples of their size, and whether they lie side by side in C's order.
bool is_aligned(const pybind11::array& array);
bool is_contiguous(const pybind11::array& array);

// `object` as an array, or ValueError: "NAME is a list; pass a NumPy WANTED".
pybind11::array require_array(const pybind11::object& object, const char* name, const char* wanted = "array");

// `object` as a C-contiguous, aligned float32 array of `ndim` dimensions, or ValueError that names it.
pybind11::array require_float32(const pybind11::object& object, const char* name, pybind11::ssize_t ndim);

// ValueError unless an op can write into `out`: C-contiguous, aligned and not read-only.
void require_writeable(const pybind11::array& out);

// Where an op writes: a new array if `given` is None, else `given` if it is a writeable array of this type
// and shape; or ValueError.
pybind11::array output_array(const pybind11::object& given, const pybind11::dtype& dtype,
                             const std::vector<pybind11::ssize_t>& shape);

// ValueError if the memory of `out` overlaps that of an input, `name` in the message.
void require_apart(const pybind11::array& out, const pybind11::array& input, const char* name);

// The type that ops write into batches, float16 or float32, as Python and as kernels name it.
pybind11::dtype input_dtype(bool half);
kernels::OutType out_type(bool half);

// ValueError unless an op can be given this number of threads.
void require_threads(int threads);

// Runs a kernel without the GIL. `work` returns whether there was memory enough; if not, Python gets
// MemoryError.
template <class Work>
void run_kernel(const Work& work) {
  bool enough = false;
  {
    const WithoutGil release;
    enough = work();
  }
  if (!enough) {
    throw std::bad_alloc();
  }
}

}  // namespace bindrt
