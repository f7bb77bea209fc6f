// Python's texts for csrc/text.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <optional>
#include <string_view>

namespace bindrt {

// The characters of a str of ASCII, where Python has them; nothing for any other object.
inline std::optional<std::string_view> ascii(pybind11::handle text) {
  if (!PyUnicode_CheckExact(text.ptr()) || !PyUnicode_IS_ASCII(text.ptr())) {
    return std::nullopt;
  }
  return std::string_view(reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text.ptr())),
                          static_cast<std::size_t>(PyUnicode_GET_LENGTH(text.ptr())));
}

}  // namespace bindrt
