// The numbers of items that Python and csrc/prepare share.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

namespace bindrt {

pybind11::dict item_numbers();

double mean_acceleration(const pybind11::object& input);

}  // namespace bindrt
