// Arrays over blocks of live::Memory.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <vector>

#include "csrc/live/memory.h"

namespace bindrt {

// Keeps a block while arrays use it.
pybind11::object owner_of(live::Block block);

// An array over memory of an owner's block.
pybind11::array array_over(const pybind11::object& owner, const pybind11::dtype& dtype,
                           std::vector<pybind11::ssize_t> shape, const std::byte* data);

}  // namespace bindrt
