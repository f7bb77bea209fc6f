// The check of a pooled vector.
#include "kernels/pool/vector_problem.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace bindrt::kernels {

namespace {

constexpr std::int64_t kSums = 8;  // which need not wait for each other

// In double the squares of floats neither overflow nor vanish.
double squared_length(const float* vector, std::int64_t dim) noexcept {
  std::array<double, static_cast<std::size_t>(kSums)> parts{};
  double* const part = parts.data();
  std::int64_t at = 0;
  for (; at + kSums <= dim; at += kSums) {
    for (std::int64_t i = 0; i < kSums; ++i) {
      const auto value = static_cast<double>(vector[at + i]);
      part[i] += value * value;
    }
  }
  double squares = std::accumulate(parts.begin(), parts.end(), 0.0);
  for (; at < dim; ++at) {
    squares += static_cast<double>(vector[at]) * static_cast<double>(vector[at]);
  }
  return squares;
}

}  // namespace

const char* vector_problem(const float* vector, std::int64_t dim, bool normalized) noexcept {
  const double squares = squared_length(vector, dim);
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
