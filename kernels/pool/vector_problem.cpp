// The check of a pooled vector.
#include "kernels/pool/vector_problem.h"

#include <cmath>

namespace bindrt::kernels {

const char* vector_problem(const float* vector, std::int64_t dim, bool normalized) noexcept {
  double squares = 0.0;  // of floats: neither overflows nor vanishes
  for (std::int64_t i = 0; i < dim; ++i) {
    squares += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
  }
  if (!std::isfinite(squares)) {
    return "its vector is not finite";
  }
  if (squares == 0.0) {
    return "its vector is zero";
  }
  if (normalized && std::abs(squares - 1.0) > kUnitTolerance) {
    return "its vector has not unit length";
  }
  return nullptr;
}

}  // namespace bindrt::kernels
