// The door to the image op.
#include "kernels/image/image.h"

#include <cstdint>
#include <string>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/pixel.h"

namespace py = pybind11;

namespace bindrt {
namespace {

py::array image_input(const py::object& object, const std::string& layout, bool half, int threads,
                      const py::object& given) {
  const Pixels pixels = read_pixels(object, layout);
  require_threads(threads);
  PictureInput out = picture_input(given, half);
  require_apart(out.array, pixels.array, "pixels");
  void* const result = out.array.mutable_data();
  run_kernel([&] {
    return kernels::image_to_input(pixels.picture, kernels::kClipScale, kernels::kPictureSide, out_type(half),
                                   result, threads, out.frames);
  });
  return out.array;
}

py::array resize_u8(const py::object& object, const std::string& layout, int side, int threads) {
  const Pixels pixels = read_pixels(object, layout);
  require_threads(threads);
  if (side < 1 || side > kernels::kMostSide) {
    throw py::value_error("side is " + std::to_string(side) + "; it is 1 to " +
                          std::to_string(kernels::kMostSide));
  }
  const bool grey = pixels.picture.layout == kernels::PixelLayout::kGrey;
  py::array_t<std::uint8_t> out(grey ? std::vector<py::ssize_t>{side, side}
                                     : std::vector<py::ssize_t>{side, side, 3});
  std::uint8_t* const result = out.mutable_data();
  run_kernel([&] { return kernels::image_to_bytes(pixels.picture, side, result, threads); });
  return out;
}

}  // namespace

void bind_image(py::module_& module) {
  module.def("image_input", &image_input, py::arg("pixels"), py::arg("layout") = "RGB",
             py::arg("half") = false, py::arg("threads") = 1, py::arg("out") = py::none(),
             R"(Pixels as the vision encoder's input: Pillow's bicubic resize of the shorter side to 224, the
centre square, (p/255 - mean)/std of CLIP.

pixels: uint8 [H, W] for layout L, [H, W, 3] for RGB and BGR, [H, W, 4] for RGBA, RGBX and BGRA; any
strides, but a copy is made unless each row's pixels are adjacent; out: an array to write into, or None; of
shape [3, frames, 224, 224] the picture is written as each frame.
Returns [3, 224, 224], float32, or float16 with `half`. Raises ValueError for anything that does not fit.)");
  module.def("resize_u8", &resize_u8, py::arg("pixels"), py::arg("layout") = "RGB",
             py::arg("side") = kernels::kPictureSide, py::arg("threads") = 1,
             R"(The centre square after Pillow's bicubic resize of the shorter side to `side`, as image_input
takes it: uint8 [side, side, 3] in the order R, G, B, or [side, side] for layout L.)");
}

}  // namespace bindrt
