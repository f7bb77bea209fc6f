// Many floats to binary16 at once, with the processor's instruction where it has one.
#pragma once

#include <cstdint>

#include "kernels/base/portable.h"

namespace bindrt::kernels {

// Converts each number as `to_half` does; a NaN may become any NaN.
void to_halves(const float* values, std::int64_t count, std::uint16_t* out) noexcept;

// Writes `count` numbers of `out`, which holds numbers of `type`, from number `index` on.
void store_row(void* out, OutType type, std::int64_t index, const float* values, std::int64_t count) noexcept;

}  // namespace bindrt::kernels
