// Pictures that a library of Python's decodes on a GPU.
#pragma once

#include <pybind11/pybind11.h>

#include "csrc/gpu/picture_decoder.h"

namespace bindrt {

// decode(files, sizes, stream): for each file, a memoryview that holds only during the call, and its (width,
// height), the (address, bytes from row to row) of the picture, written by what the stream has got, or None.
// The list that it returns keeps their memory. Null for None.
gpu::DecodePictures decode_pictures(pybind11::object decode);

// By the name of a coding ("jpeg", "jpeg2000", "tiff-lzw", "tiff-deflate") the pixels that a picture has at
// least; codings that are left out are decoded on the host. ValueError for other names and negative numbers.
gpu::DecodeFrom decode_from(const pybind11::dict& given);

}  // namespace bindrt
