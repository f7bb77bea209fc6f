// A picture that lives in a buffer of Python's: a decoder's frame or a NumPy array. Nothing is copied.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/video/yuv.h"

namespace bindrt {

class PictureBuffer {
 public:
  // A uint8 array [H, W, 3] whose pixels are adjacent; rows may be any distance apart.
  static PictureBuffer of_rgb(const pybind11::object& array);

  // Planes "yuv420p" (Y, U, V) or "nv12" (Y, UV), each a buffer of rows `line_sizes` bytes apart.
  static PictureBuffer of_planes(const std::string& format, std::int64_t width, std::int64_t height,
                                 const pybind11::sequence& planes,
                                 const std::vector<std::int64_t>& line_sizes, const std::string& standard,
                                 bool full_range);

  const kernels::DecodedPicture& picture() const noexcept { return picture_; }

 private:
  PictureBuffer() = default;

  kernels::DecodedPicture picture_{};
  std::vector<pybind11::buffer_info> held_;  // keeps the memory where it is
};

// The layouts and standards of planes, by their names; ValueError for any other name.
kernels::PixelFormat layout_of(const std::string& name);
kernels::YuvStandard standard_of(const std::string& name);

// The picture of a Python `Picture`; TypeError for any other object.
const kernels::DecodedPicture& picture_in(const pybind11::object& object);

}  // namespace bindrt
