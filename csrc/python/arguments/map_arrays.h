// Maps, such as depth or temperature, that come from Python.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "kernels/map/map.h"

namespace bindrt {

// `object` as a map, whose memory the caller holds; or ValueError. An array [H, W] of integers or floats, not
// empty, aligned, in this machine's byte order, the numbers of a row adjacent.
kernels::Map read_map(const pybind11::object& object);

// ValueError if `out` and the map share memory.
void require_apart(const kernels::Map& map, const pybind11::array& out);

}  // namespace bindrt
