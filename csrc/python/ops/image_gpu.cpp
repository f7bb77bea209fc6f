// The door to the image op on a GPU.
#include "kernels/image/image_gpu.h"

#include <string>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/pixel.h"
#include "csrc/python/gpu/run_op.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

py::tuple image_input(const py::sequence& objects, const std::string& layout, bool half, int rounds,
                      int device) {
  std::vector<Pixels> pixels;
  for (const py::handle& object : objects) {
    pixels.push_back(read_pixels(py::reinterpret_borrow<py::object>(object), layout));
  }
  const auto items = static_cast<py::ssize_t>(pixels.size());
  const py::array out = batch_array(half, {items, 3, kernels::kPictureSide, kernels::kPictureSide});
  const auto type = out_type(half);
  const auto seconds =
      run_op(device, rounds, {out}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) {
        std::vector<kernels::Picture> pictures;
        for (const Pixels& one : pixels) {
          kernels::Picture picture = one.picture;
          const std::int64_t row = std::int64_t{picture.width} * kernels::pixel_bytes(picture.layout);
          picture.pixels = static_cast<const std::uint8_t*>(
              rows_to_device(queue, picture.pixels, row, picture.height, picture.row_stride));
          pictures.push_back(picture);
        }
        return [&queue, type, items, pictures, outputs] {
          kernels::image_to_input_gpu(queue, pictures.data(), items, kernels::kClipScale,
                                      kernels::kPictureSide, type, outputs[0]);
        };
      });
  return py::make_tuple(out, seconds);
}

}  // namespace

void bind_image(py::module_& module) {
  module.def("image_input", &image_input, py::arg("pixels"), py::arg("layout") = "RGB", py::kw_only(),
             py::arg("half") = false, py::arg("rounds") = 1, py::arg("device") = 0,
             "As `_core.image_input`, for a list of pictures: [items, 3, 224, 224], and the seconds.");
}

}  // namespace bindrt::gpu
