#include <algorithm>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "csrc/arrays.h"
#include "csrc/bindings.h"
#include "kernels/image.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::Picture;
using kernels::PixelLayout;

constexpr py::ssize_t kLongest = INT32_MAX;  // pixels of a side

struct Layout {
  const char* name;
  PixelLayout layout;
  py::ssize_t channels;  // of the array; 1 for [H, W]
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

// The array that a picture's pointers point into, and the picture.
struct Pixels {
  py::array array;
  Picture picture;
};

bool rows_can_be_read(const py::array& array, const Layout& layout) {
  const bool packed = array.strides(1) == layout.channels || array.shape(1) == 1;
  return packed && (layout.channels == 1 || array.strides(2) == 1);
}

Pixels read_pixels(const py::object& object, const std::string& layout_name) {
  const Layout& layout = find_layout(layout_name);
  if (!py::isinstance<py::array>(object)) {
    throw py::value_error(std::string("pixels is a ") + Py_TYPE(object.ptr())->tp_name +
                          "; pass a NumPy uint8 array");
  }
  auto array = py::reinterpret_borrow<py::array>(object);
  if (!array.dtype().equal(py::dtype::of<std::uint8_t>())) {
    throw py::value_error("pixels has dtype " + py::str(array.dtype()).cast<std::string>() +
                          "; it must be uint8");
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

struct Area {
  const char* begin;
  const char* end;
};

// The memory that a picture's rows lie in.
Area area_of(const Picture& picture) {
  const auto* const first = reinterpret_cast<const char*>(picture.pixels);
  const auto* const last = first + (std::int64_t{picture.height} - 1) * picture.row_stride;
  const std::int64_t row = std::int64_t{picture.width} * kernels::pixel_bytes(picture.layout);
  return {std::min(first, last), std::max(first, last) + row};
}

void require_apart(const Picture& picture, const py::array& out) {
  const Area area = area_of(picture);
  const auto* const begin = static_cast<const char*>(out.data());
  if (begin < area.end && area.begin < begin + out.nbytes()) {
    throw py::value_error("out shares memory with pixels");
  }
}

void require_memory(bool enough) {
  if (!enough) {
    throw std::bad_alloc();
  }
}

py::array image_input(const py::object& object, const std::string& layout, bool half, int threads,
                      const py::object& given) {
  const Pixels pixels = read_pixels(object, layout);
  require_threads(threads);
  constexpr py::ssize_t kSide = kernels::kImageSide;
  py::array out = output_array(given, input_dtype(half), {3, kSide, kSide});
  require_apart(pixels.picture, out);
  const auto type = half ? kernels::OutType::kFloat16 : kernels::OutType::kFloat32;
  void* const result = out.mutable_data();
  bool enough = false;
  {
    const py::gil_scoped_release release;
    enough = kernels::image_to_input(pixels.picture, kernels::kClipScale, kernels::kImageSide, type, result,
                                     threads);
  }
  require_memory(enough);
  return out;
}

py::array resize_u8(const py::object& object, const std::string& layout, int side, int threads) {
  const Pixels pixels = read_pixels(object, layout);
  require_threads(threads);
  if (side < 1 || side > kernels::kMostSide) {
    throw py::value_error("side is " + std::to_string(side) + "; it is 1 to " +
                          std::to_string(kernels::kMostSide));
  }
  const bool grey = pixels.picture.layout == PixelLayout::kGrey;
  py::array_t<std::uint8_t> out(grey ? std::vector<py::ssize_t>{side, side}
                                     : std::vector<py::ssize_t>{side, side, 3});
  std::uint8_t* const result = out.mutable_data();
  bool enough = false;
  {
    const py::gil_scoped_release release;
    enough = kernels::image_to_bytes(pixels.picture, side, result, threads);
  }
  require_memory(enough);
  return out;
}

}  // namespace

void bind_image(py::module_& module) {
  module.def("image_input", &image_input, py::arg("pixels"), py::arg("layout") = "RGB",
             py::arg("half") = false, py::arg("threads") = 1, py::arg("out") = py::none(),
             R"(Pixels as the vision encoder's input: Pillow's bicubic resize of the shorter side to 224, the
centre square, (p/255 - mean)/std of CLIP.

pixels: uint8 [H, W] for layout L, [H, W, 3] for RGB and BGR, [H, W, 4] for RGBA, RGBX and BGRA; any
strides, but a copy is made unless each row's pixels are adjacent; out: an array to write into, or None.
Returns [3, 224, 224], float32, or float16 with `half`. Raises ValueError for anything that does not fit.)");
  module.def("resize_u8", &resize_u8, py::arg("pixels"), py::arg("layout") = "RGB",
             py::arg("side") = kernels::kImageSide, py::arg("threads") = 1,
             R"(The centre square after Pillow's bicubic resize of the shorter side to `side`, as image_input
takes it: uint8 [side, side, 3] in the order R, G, B, or [side, side] for layout L.)");
}

}  // namespace bindrt
