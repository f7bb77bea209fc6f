// The submodule `_core.gpu`.
#include "csrc/python/bindings.h"
#include "csrc/python/gpu/bindings.h"

namespace py = pybind11;

namespace bindrt {

void bind_gpu(py::module_& parent) {
  py::module_ module =
      parent.def_submodule("gpu", "The GPU through its driver. Not for users: tests and tools.");
  gpu::bind_errors(module);
  gpu::bind_driver(module);
  gpu::bind_depth(module);
  gpu::bind_image(module);
  gpu::bind_imu(module);
  gpu::bind_mel(module);
  gpu::bind_pool(module);
  gpu::bind_queue(module);
  gpu::bind_resample(module);
  gpu::bind_thermal(module);
  gpu::bind_video(module);
}

}  // namespace bindrt
