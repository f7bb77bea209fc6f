// Whether a pooled vector may be handed out.
#pragma once

#include <cstdint>

namespace bindrt::kernels {

// How far the squared length of a normalised vector may be from one: rounding to float gives 1e-6.
inline constexpr double kUnitTolerance = 1e-4;

// Null for a vector [dim] that is finite and not zero, and of unit length if it was normalised; else what is
// wrong with it, in words.
const char* vector_problem(const float* vector, std::int64_t dim, bool normalized) noexcept;

}  // namespace bindrt::kernels
