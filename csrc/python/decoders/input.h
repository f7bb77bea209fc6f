// A picture's file as the vision encoder's input, for Python.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/pixel.h"
#include "csrc/python/gil.h"

namespace bindrt {

// What `read` writes, [3, 224, 224] or what is `given`; None where it says false. The interpreter is released
// meanwhile.
template <class Library>
pybind11::object decoded_input(const Library& library,
                               bool (*read)(const Library&, const std::uint8_t*, std::size_t, std::int64_t,
                                            kernels::OutType, void*, std::int32_t) noexcept,
                               const pybind11::bytes& data, std::int64_t max_pixels, bool half,
                               const pybind11::object& given) {
  auto [out, frames] = picture_input(given, half);
  void* const result = out.mutable_data();
  const auto text = static_cast<std::string_view>(data);
  bool good = false;
  {
    const WithoutGil release;
    good = read(library, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), max_pixels,
                out_type(half), result, frames);
  }
  return good ? pybind11::object(out) : pybind11::none();
}

}  // namespace bindrt
