// Checks of arrays that come from Python. Nothing is converted: a silent copy would hide a mistake.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

namespace bindrt {

// "(3, 4)": the shape as Python writes it.
std::string shape_text(const pybind11::array& array);

// `object` as a C-contiguous, aligned float32 array of `ndim` dimensions, or ValueError that names it.
pybind11::array require_float32(const pybind11::object& object, const char* name, pybind11::ssize_t ndim);

// Where an op writes: a new array if `given` is None, else `given` if it is a writeable C-contiguous array of
// this type and shape; or ValueError.
pybind11::array output_array(const pybind11::object& given, const pybind11::dtype& dtype,
                             const std::vector<pybind11::ssize_t>& shape);

// float16 or float32, what ops write into batches.
pybind11::dtype input_dtype(bool half);

// ValueError unless an op can be given this number of threads.
void require_threads(int threads);

// Whether the memory of two contiguous arrays overlaps.
bool overlap(const pybind11::array& a, const pybind11::array& b);

}  // namespace bindrt
