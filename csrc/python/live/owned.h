// Arrays whose numbers nobody can change.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

namespace bindrt {

// Whether nobody can change its numbers: they lie in an object of `bytes`.
bool lies_in_bytes(const pybind11::array& array);

}  // namespace bindrt
