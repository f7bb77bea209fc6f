// Checks of pixels that come from Python.
#include "csrc/python/arguments/pixel.h"

#include <cstdint>

#include "csrc/python/arguments/arrays.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::Picture;
using kernels::PixelLayout;

constexpr py::ssize_t kLongest = INT32_MAX;  // pixels of a side

struct Layout {
  const char* name;
  PixelLayout layout;
  py::ssize_t channels;  // channels of the array; 1 for [H, W]
};
constexpr Layout kLayouts[] = {
    {"L", PixelLayout::kGrey, 1},    {"RGB", PixelLayout::kRgb, 3},   {"BGR", PixelLayout::kBgr, 3},
    {"RGBA", PixelLayout::kRgbx, 4}, {"RGBX", PixelLayout::kRgbx, 4}, {"BGRA", PixelLayout::kBgrx, 4},
};

const Layout& find_layout(const std::string& name) {
  std::string names;
  for (const Layout& layout : kLayouts) {
    if (name == layout.name) {
      return layout;
    }
    names += names.empty() ? layout.name : std::string(", ") + layout.name;
  }
  throw py::value_error("layout is '" + name + "'; it is one of " + names);
}

bool rows_can_be_read(const py::array& array, const Layout& layout) {
  const bool packed = array.strides(1) == layout.channels || array.shape(1) == 1;
  return packed && (layout.channels == 1 || array.strides(2) == 1);
}

}  // namespace

Pixels read_pixels(const py::object& object, const std::string& layout_name) {
  const Layout& layout = find_layout(layout_name);
  auto array = require_array(object, "pixels", "uint8 array");
  if (!array.dtype().equal(py::dtype::of<std::uint8_t>())) {
    throw py::value_error("pixels has dtype " + dtype_text(array) + "; it must be uint8");
  }
  const bool fits =
      layout.channels == 1 ? array.ndim() == 2 : array.ndim() == 3 && array.shape(2) == layout.channels;
  if (!fits) {
    const std::string wanted =
        layout.channels == 1 ? "(H, W)" : "(H, W, " + std::to_string(layout.channels) + ")";
    throw py::value_error("pixels has shape " + shape_text(array) + "; layout " + layout.name + " takes " +
                          wanted);
  }
  if (array.size() == 0) {
    throw py::value_error("pixels has shape " + shape_text(array) + "; every side must be at least 1");
  }
  if (array.shape(0) > kLongest || array.shape(1) > kLongest) {
    throw py::value_error("pixels has shape " + shape_text(array) + "; a side is at most 2147483647");
  }
  if (!rows_can_be_read(array, layout)) {  // turned, or every other pixel
    array = py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>(array);
  }
  const Picture picture{static_cast<const std::uint8_t*>(array.data()),
                        static_cast<std::int32_t>(array.shape(1)), static_cast<std::int32_t>(array.shape(0)),
                        array.shape(0) == 1 ? 0 : array.strides(0), layout.layout};
  return {array, picture};
}

PictureInput picture_input(const py::object& given, bool half) {
  constexpr py::ssize_t kSide = kernels::kPictureSide;
  constexpr py::ssize_t kMostFrames = 1024;
  if (py::isinstance<py::array>(given)) {
    const auto array = py::reinterpret_borrow<py::array>(given);
    if (array.ndim() == 4 && array.shape(1) > 0 && array.shape(1) <= kMostFrames) {
      const py::ssize_t frames = array.shape(1);
      return {output_array(given, input_dtype(half), {3, frames, kSide, kSide}),
              static_cast<std::int32_t>(frames)};
    }
  }
  return {output_array(given, input_dtype(half), {3, kSide, kSide}), 1};
}

}  // namespace bindrt
