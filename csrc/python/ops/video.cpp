// The door to the video op, and to pictures as video decoders give them.
#include "kernels/video/video.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/decoders/picture.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::kPictureSide;
using kernels::kVideoCrops;

py::array picture_to_rgb(const py::object& object, int threads) {
  require_threads(threads);
  const kernels::DecodedPicture& picture = picture_in(object);
  py::array_t<std::uint8_t> out({py::ssize_t{picture.height}, py::ssize_t{picture.width}, py::ssize_t{3}});
  std::uint8_t* const rgb = out.mutable_data();
  run_kernel([&] { return kernels::picture_to_rgb(picture, rgb, std::int64_t{picture.width} * 3, threads); });
  return out;
}

// The batch that views are written to: [V, 3, F, 224, 224].
py::array batch_of(const py::object& object) {
  py::array out = require_array(object, "out");
  if (!out.dtype().equal(input_dtype(false)) && !out.dtype().equal(input_dtype(true))) {
    throw py::value_error("out has dtype " + dtype_text(out) + "; it must be float32 or float16");
  }
  if (out.ndim() != 5 || out.shape(1) != 3 || out.shape(3) != kPictureSide || out.shape(4) != kPictureSide) {
    throw py::value_error("out has shape " + shape_text(out) + "; it must be (views, 3, frames, 224, 224)");
  }
  require_writeable(out);
  return out;
}

using CropPlace = std::array<std::int64_t, 3>;  // crop, view, frame

std::vector<kernels::CropTarget> targets_of(const std::vector<CropPlace>& places, const py::array& out) {
  std::vector<kernels::CropTarget> targets;
  targets.reserve(places.size());
  for (const auto& [crop, view, frame] : places) {
    if (crop < 0 || crop >= kVideoCrops || view < 0 || view >= out.shape(0) || frame < 0 ||
        frame >= out.shape(2)) {
      throw py::value_error("place (" + std::to_string(crop) + ", " + std::to_string(view) + ", " +
                            std::to_string(frame) + ") is not in out " + shape_text(out));
    }
    const std::int64_t plane = view * 3 * out.shape(2) + frame;
    targets.push_back({static_cast<std::int32_t>(crop), plane * kPictureSide * kPictureSide});
  }
  return targets;
}

void video_crops(const py::object& picture, const py::object& batch, const std::vector<CropPlace>& places,
                 int quarter_turns, int threads) {
  require_threads(threads);
  py::array out = batch_of(batch);
  const std::vector<kernels::CropTarget> targets = targets_of(places, out);
  const kernels::CropRequest request{picture_in(picture),
                                     ((quarter_turns % 4) + 4) % 4,
                                     targets.data(),
                                     static_cast<std::int32_t>(targets.size()),
                                     out.mutable_data(),
                                     out_type(out.itemsize() == 2),
                                     std::int64_t{out.shape(2)} * kPictureSide * kPictureSide};
  run_kernel([&] { return kernels::video_crops(request, threads); });
}

std::vector<std::int64_t> crop_offsets(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > INT32_MAX || height > INT32_MAX) {
    throw py::value_error("a picture cannot be " + std::to_string(width) + " x " + std::to_string(height));
  }
  const auto geometry =
      kernels::crop_geometry(static_cast<std::int32_t>(width), static_cast<std::int32_t>(height));
  return {geometry.offsets, geometry.offsets + kVideoCrops};
}

}  // namespace

void bind_video(py::module_& module) {
  py::class_<PictureBuffer>(module, "Picture", py::is_final(),
                            py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                            R"(A picture in memory that Python owns: RGB, or a decoder's planes.

Picture(array): uint8 [H, W, 3], pixels of a row adjacent.
Picture(format, width, height, planes, line_sizes, standard="bt601", full_range=False): "yuv420p" or "nv12";
planes are buffers of bytes, their rows line_sizes bytes apart; standard is bt601, bt709, smpte240m or
bt2020. Nothing is copied: the memory must not change while it is used.)")
      .def(py::init(&PictureBuffer::of_rgb), py::arg("array"))
      .def(py::init(&PictureBuffer::of_planes), py::arg("format"), py::arg("width"), py::arg("height"),
           py::arg("planes"), py::arg("line_sizes"), py::arg("standard") = "bt601",
           py::arg("full_range") = false);
  module.def("picture_to_rgb", &picture_to_rgb, py::arg("picture"), py::arg("threads") = 1,
             "The picture as uint8 [H, W, 3]. Chroma is not interpolated; 13-bit factors.");
  module.def("video_crops", &video_crops, py::arg("picture"), py::arg("out"), py::arg("places"),
             py::arg("quarter_turns") = 0, py::arg("threads") = 1,
             R"(Resize a frame (shorter side 224, bilinear, not antialiased), crop and normalise it.

out: float32 or float16 [views, 3, frames, 224, 224]; places: (crop, view, frame) of each crop to write,
crop 0, 1, 2 at the start, middle and end of the longer side, no place twice; quarter_turns:
counter-clockwise, first. Raises ValueError for anything that does not fit.)");
  module.def("video_crop_offsets", &crop_offsets, py::arg("width"), py::arg("height"),
             "Where the three crops start along the longer side of the resized frame.");
}

}  // namespace bindrt
