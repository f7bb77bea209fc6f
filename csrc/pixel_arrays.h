// Pixels that come from Python.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "kernels/image.h"

namespace bindrt {

// The array that a picture's pointers point into, and the picture.
struct Pixels {
  pybind11::array array;
  kernels::Picture picture;
};

// `object` as a picture of a layout, "L", "RGB", "BGR", "RGBA", "RGBX" or "BGRA", or ValueError. Copied only
// where the pixels of a row are not adjacent.
Pixels read_pixels(const pybind11::object& object, const std::string& layout_name);

}  // namespace bindrt
