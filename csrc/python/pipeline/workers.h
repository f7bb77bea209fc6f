// The door to the threads that decode and preprocess.
#pragma once

#include <pybind11/pybind11.h>

namespace bindrt {

void bind_workers(pybind11::module_& module);

}  // namespace bindrt
