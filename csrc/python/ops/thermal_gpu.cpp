// The door to the thermal op on a GPU.
#include "kernels/map/thermal_gpu.h"

#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/map.h"
#include "csrc/python/gpu/run_op.h"
#include "kernels/image/image_gpu.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

// Frames of 8 bits as grey pictures.
std::vector<kernels::Picture> pictures_of(const std::vector<kernels::Map>& frames) {
  std::vector<kernels::Picture> pictures;
  for (const kernels::Map& frame : frames) {
    pictures.push_back({static_cast<const std::uint8_t*>(frame.pixels), frame.width, frame.height,
                        frame.row_stride, kernels::PixelLayout::kGrey});
  }
  return pictures;
}

py::tuple thermal_square(const py::sequence& objects, const std::optional<double>& low,
                         const std::optional<double>& high, bool half, int rounds, int device) {
  const std::vector<kernels::Map> frames = read_maps(objects);
  bool stretch = true;
  for (const kernels::Map& frame : frames) {
    stretch = has_range(frame, low, high);
  }
  const auto items = static_cast<py::ssize_t>(frames.size());
  const auto type = out_type(half);
  const std::vector<kernels::ThermalOptions> options(frames.size(),
                                                     {low.value_or(0.0), high.value_or(255.0), type, 1});
  const py::array out = batch_array(half, {items, 1, kernels::kPictureSide, kernels::kPictureSide});
  const auto seconds =
      run_op(device, rounds, {out}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) -> Work {
        const std::vector<kernels::Map> moved = maps_to_device(queue, frames);
        if (stretch) {
          return [&queue, &options, items, moved, outputs] {
            kernels::thermal_squares_gpu(queue, moved.data(), options.data(), items, outputs[0]);
          };
        }
        return [&queue, type, items, pictures = pictures_of(moved), outputs] {
          kernels::image_to_input_gpu(queue, pictures.data(), items, kernels::kUnitScale,
                                      kernels::kPictureSide, type, outputs[0]);
        };
      });
  return py::make_tuple(out, seconds);
}

}  // namespace

void bind_thermal(py::module_& module) {
  module.def("thermal_square", &thermal_square, py::arg("frames"), py::arg("low") = py::none(),
             py::arg("high") = py::none(), py::kw_only(), py::arg("half") = false, py::arg("rounds") = 1,
             py::arg("device") = 0,
             "As `_core.thermal_square`, for a list of frames: [items, 1, 224, 224], and the seconds.");
}

}  // namespace bindrt::gpu
