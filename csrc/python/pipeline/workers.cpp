// Threads that several pipelines share, as Python makes and ends them.
#include "csrc/python/pipeline/workers.h"

#include <memory>
#include <utility>

#include "csrc/pipeline/workers.h"
#include "csrc/python/gil.h"

namespace py = pybind11;

namespace bindrt {

using pipeline::Workers;

namespace {

// At the end of the process the threads sleep, or will, and are not waited for.
std::shared_ptr<Workers> make_workers(int threads) {
  std::shared_ptr<Workers> made = Workers::make(threads);
  Workers* const workers = made.get();
  return {workers, [made = std::move(made)](Workers*) mutable {
            if (finalizing()) {
              new auto(std::move(made));
            }
            made.reset();
          }};
}

}  // namespace

void bind_workers(py::module_& module) {
  const auto metaclass = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
  py::class_<Workers, std::shared_ptr<Workers>>(module, "Workers", py::is_final(), metaclass,
                                                "Threads that decode and preprocess.")
      .def(py::init(&make_workers), py::arg("threads"))
      .def("lend", &Workers::lend, py::arg("cores"))
      .def("take_back", &Workers::take_back, py::arg("cores"));
}

}  // namespace bindrt
