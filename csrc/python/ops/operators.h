// All operators' bindings. CMake makes their list from the files of this folder: <op>.cpp defines bind_<op>,
// and <op>_gpu.cpp defines gpu::bind_<op>.
#pragma once

#include <pybind11/pybind11.h>

namespace bindrt {

// Adds every operator on the CPU to `bindrt._core`.
void bind_operators(pybind11::module_& module);

namespace gpu {

// Adds every operator on a GPU to `bindrt._core.gpu`.
void bind_operators(pybind11::module_& module);

}  // namespace gpu

}  // namespace bindrt
