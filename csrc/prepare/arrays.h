// Arrays of numbers as the kernels take them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "csrc/prepare/prepare.h"

namespace bindrt::prepare {

// Calls `use` with a pointer to an array's numbers, typed as they are, and returns true; false for numbers of
// other types, half floats for example.
template <class Use>
bool with_numbers(const Array& array, const Use& use) {
  const auto as = [&]<class Number>(const Number*) {
    use(static_cast<const Number*>(array.data));
    return true;
  };
  const int bits = array.bits;
  switch (array.kind) {
    case Array::Kind::kFloat:
      return bits == 32   ? as(static_cast<const float*>(nullptr))
             : bits == 64 ? as(static_cast<const double*>(nullptr))
                          : false;
    case Array::Kind::kInt:
      return bits == 8    ? as(static_cast<const std::int8_t*>(nullptr))
             : bits == 16 ? as(static_cast<const std::int16_t*>(nullptr))
             : bits == 32 ? as(static_cast<const std::int32_t*>(nullptr))
             : bits == 64 ? as(static_cast<const std::int64_t*>(nullptr))
                          : false;
    case Array::Kind::kUint:
      return bits == 8    ? as(static_cast<const std::uint8_t*>(nullptr))
             : bits == 16 ? as(static_cast<const std::uint16_t*>(nullptr))
             : bits == 32 ? as(static_cast<const std::uint32_t*>(nullptr))
             : bits == 64 ? as(static_cast<const std::uint64_t*>(nullptr))
                          : false;
  }
  return false;
}

inline bool is(const Array& array, Array::Kind kind, int bits) {
  return array.kind == kind && array.bits == bits;
}

}  // namespace bindrt::prepare
