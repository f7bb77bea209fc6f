// Number types of the native engine by name.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "csrc/native/numbers.h"

namespace bindrt {

inline constexpr std::pair<const char*, native::Numbers> kNumbers[] = {{"float32", native::Numbers::kFloat32},
                                                                       {"bf16", native::Numbers::kBf16},
                                                                       {"int8", native::Numbers::kInt8}};

inline native::Numbers numbers_of(const std::string& name) {
  for (const auto& [text, numbers] : kNumbers) {
    if (name == text) {
      return numbers;
    }
  }
  throw pybind11::value_error("'" + name + "' is not a number type; it is float32, bf16 or int8");
}

}  // namespace bindrt
