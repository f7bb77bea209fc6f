// Checks of arrays that come from Python. Nothing is converted: a silent copy would hide a mistake.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

namespace bindrt {

// "(3, 4)": the shape as Python writes it.
std::string shape_text(const pybind11::array& array);

// `object` as a C-contiguous, aligned float32 array of `ndim` dimensions, or ValueError that names it.
pybind11::array require_float32(const pybind11::object& object, const char* name, pybind11::ssize_t ndim);

// Whether the memory of two contiguous arrays overlaps.
bool overlap(const pybind11::array& a, const pybind11::array& b);

}  // namespace bindrt
