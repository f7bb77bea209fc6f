// How many cores this process may use, for Python.
#include "csrc/native/cores.h"

#include <pybind11/pybind11.h>

#include "csrc/python/bindings.h"

namespace py = pybind11;

namespace bindrt {

void bind_cores(py::module_& module) {
  module.def("usable_cores", &native::usable_cores, py::arg("root") = "",
             "Cores that this process may use, a part of one too: affinity, control groups, limit_cores.");
  module.def("usable_threads", &native::usable_threads, py::arg("root") = "",
             "Threads that keep these cores busy; at least 1.");
  module.def("physical_cores", &native::physical_cores, py::arg("root") = "",
             "Cores of the affinity, of those that share their units only one; at least 1.");
  module.def("limit_cores", &native::limit_cores, py::arg("most"),
             "Use at most so many cores, whatever the system allows; 0: no limit.");
}

}  // namespace bindrt
