// Pictures that a library of Python's decodes on a GPU.
#pragma once

#include <pybind11/pybind11.h>

#include "csrc/gpu/picture_decoder.h"

namespace bindrt {

// decode(files, sizes, stream): for each file, a memoryview that holds only during the call, and its (width,
// height), the (address, bytes from row to row) of the picture, written by what the stream has got, or None.
// The list that it returns keeps their memory. Null for None.
gpu::DecodePictures decode_pictures(pybind11::object decode);

}  // namespace bindrt
