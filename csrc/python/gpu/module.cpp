// The submodule `_core.gpu`.
#include "csrc/python/bindings.h"
#include "csrc/python/gpu/bindings.h"
#include "csrc/python/ops/operators.h"

namespace py = pybind11;

namespace bindrt {

void bind_gpu(py::module_& parent) {
  py::module_ module =
      parent.def_submodule("gpu", "The GPU through its driver. Not for users: tests and tools.");
  gpu::bind_errors(module);
  gpu::bind_driver(module);
  gpu::bind_queue(module);
  gpu::bind_arrays(module);
  gpu::bind_operators(module);
}

}  // namespace bindrt
