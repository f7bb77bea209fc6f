// Python's values as csrc/prepare has them. Under the GIL; no Python error is left set.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>

#include "csrc/prepare/prepare.h"

namespace bindrt {

// Null if there is none.
pybind11::object attribute(const pybind11::handle& object, const pybind11::handle& name);
pybind11::object call_method(const pybind11::handle& object, const char* name);

// A NumPy array and no subclass of it.
bool is_array(const pybind11::handle& object);

// The same array, or its numbers without gaps if they are few: a window of a recording, for example.
pybind11::object without_gaps(pybind11::object array);

// Its numbers, whose memory the array keeps; nothing for one that is empty, has gaps, or holds something
// else.
std::optional<prepare::Array> array_of(const pybind11::handle& array);

// A path of this system; nothing for a text that may mean another place: a URI, or the home folder.
std::optional<prepare::Path> path_of(const pybind11::handle& text);

// A bool, whole number, float, text, a tuple or list of numbers, or one of such lists and of arrays [N];
// nothing for anything else.
std::optional<prepare::Value> value_of(const pybind11::handle& object);

}  // namespace bindrt
