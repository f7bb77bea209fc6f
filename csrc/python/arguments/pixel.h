// Checks pixels that come from Python.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "kernels/image/image.h"

namespace bindrt {

// The array that a picture's pointers point into, and the picture.
struct Pixels {
  pybind11::array array;
  kernels::Picture picture;
};

// `object` as a picture of a layout, "L", "RGB", "BGR", "RGBA", "RGBX" or "BGRA", or ValueError. Copied only
// where the pixels of a row are not adjacent.
Pixels read_pixels(const pybind11::object& object, const std::string& layout_name);

// The encoder's input of a picture, where an op writes it: [3, 224, 224], or a given [3, frames, 224, 224],
// in which each frame is the picture.
struct PictureInput {
  pybind11::array array;
  std::int32_t frames = 1;
};
PictureInput picture_input(const pybind11::object& given, bool half);

}  // namespace bindrt
