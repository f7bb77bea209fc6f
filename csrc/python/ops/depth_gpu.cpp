// The door to the depth op on a GPU.
#include "kernels/map/depth_gpu.h"

#include <string>
#include <vector>

#include "csrc/python/arguments/map.h"
#include "csrc/python/gpu/run_op.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

static_assert(sizeof(unsigned long long) == sizeof(std::uint64_t));

py::tuple depth_square(const py::sequence& objects, const std::string& unit, double focal, double baseline,
                       double depth_scale, bool missing_near, bool half, int rounds, int device) {
  const std::vector<kernels::Map> maps = read_maps(objects);
  std::vector<kernels::DepthOptions> options;
  for (const kernels::Map& map : maps) {
    options.push_back(read_depth_options(map, unit, focal, baseline, depth_scale, missing_near, half, 1));
  }
  const auto items = static_cast<py::ssize_t>(maps.size());
  const py::array out = batch_array(half, {items, 1, kernels::kPictureSide, kernels::kPictureSide});
  const py::array_t<std::uint64_t> missing(items);
  const auto seconds = run_op(
      device, rounds, {out, missing}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) {
        return [&queue, &options, items, outputs, moved = maps_to_device(queue, maps)] {
          kernels::depth_squares_gpu(queue, moved.data(), options.data(), items,
                                     static_cast<unsigned long long*>(outputs[1]), outputs[0]);
        };
      });
  return py::make_tuple(out, missing, seconds);
}

}  // namespace

void bind_depth(py::module_& module) {
  module.def("depth_square", &depth_square, py::arg("maps"), py::arg("unit"), py::arg("focal"),
             py::arg("baseline"), py::arg("depth_scale"), py::arg("missing_near") = false, py::kw_only(),
             py::arg("half") = false, py::arg("rounds") = 1, py::arg("device") = 0,
             "As `_core.depth_square`, for a list of maps: [items, 1, 224, 224], how many pixels of each are "
             "missing, and the seconds.");
}

}  // namespace bindrt::gpu
