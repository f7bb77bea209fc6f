// One function a binding file of `_core.gpu`; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

namespace bindrt::gpu {

void bind_arrays(pybind11::module_& module);
void bind_driver(pybind11::module_& module);
void bind_errors(pybind11::module_& module);
void bind_queue(pybind11::module_& module);

}  // namespace bindrt::gpu
