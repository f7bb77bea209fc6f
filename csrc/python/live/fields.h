// The fields of NumPy's arrays, as csrc/live looks at them.
#pragma once

#include <pybind11/numpy.h>

#include <optional>

#include "csrc/live/usual.h"

namespace bindrt {

// Those of a plain array; none of anything else, subclasses too.
std::optional<live::Fields> fields_of(pybind11::handle object);

// A time as a program gives it: None, a float, or an array of float64.
live::Moment moment_of(pybind11::handle time);

}  // namespace bindrt
