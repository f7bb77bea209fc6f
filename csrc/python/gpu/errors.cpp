// Tells Python of a GPU's errors.
#include <exception>

#include "csrc/gpu/driver.h"
#include "csrc/python/gpu/bindings.h"

namespace py = pybind11;

namespace bindrt::gpu {

// DriverError, a RuntimeError with the driver's name of the error as attribute `name`; MemoryError where
// the device's memory did not suffice.
void bind_errors(py::module_& module) {
  static PyObject* const type = PyErr_NewExceptionWithDoc(
      "bindrt._core.gpu.DriverError",
      "The GPU or its driver refused or failed; `name` is the driver's name for it.", PyExc_RuntimeError,
      nullptr);
  module.attr("DriverError") = py::reinterpret_borrow<py::object>(type);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) {
        std::rethrow_exception(thrown);
      }
    } catch (const Error& error) {
      if (error.out_of_memory()) {
        PyErr_SetString(PyExc_MemoryError, error.what());
        return;
      }
      const py::object made = py::reinterpret_borrow<py::object>(type)(error.what());
      made.attr("name") = error.name();
      PyErr_SetObject(type, made.ptr());
    }
  });
}

}  // namespace bindrt::gpu
