// Checks maps, such as depth or temperature, that come from Python, and what a caller says about them.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "kernels/map/depth.h"
#include "kernels/map/map.h"
#include "kernels/map/thermal.h"

namespace bindrt {

// `object` as a map, whose memory the caller holds; or ValueError. An array [H, W] of integers or floats, not
// empty, aligned, in this machine's byte order, the numbers of a row adjacent.
kernels::Map read_map(const pybind11::object& object);

// ValueError unless the unit, "m", "mm", "sunrgbd" or "disparity", suits the map and the numbers are
// positive.
kernels::DepthOptions read_depth_options(const kernels::Map& map, const std::string& unit, double focal,
                                         double baseline, double depth_scale, bool missing_near, bool half,
                                         int threads);

// Whether a thermal frame is stretched, from low to high; 8-bit frames need no range. ValueError if only one
// of both is given, they are not in order, or there is none and the frame is not of 8 bits.
bool has_range(const kernels::Map& frame, const std::optional<double>& low,
               const std::optional<double>& high);

}  // namespace bindrt
