// Checks of the two rates of a resampling.
#include "csrc/python/arguments/resample.h"

#include <pybind11/pybind11.h>

#include <numeric>
#include <string>

namespace py = pybind11;

namespace bindrt {

kernels::ResampleRates read_rates(std::int64_t orig, std::int64_t target) {
  if (orig < 1 || target < 1) {
    throw py::value_error("rates are " + std::to_string(orig) + " and " + std::to_string(target) +
                          "; both must be positive");
  }
  const std::int64_t common = std::gcd(orig, target);
  const kernels::ResampleRates rates{orig / common, target / common};
  if (!kernels::resamples(rates)) {
    throw py::value_error("from " + std::to_string(orig) + " to " + std::to_string(target) +
                          " is too far; in lowest terms both rates must be at most 2^32, and their ratio "
                          "below 40000");
  }
  return rates;
}

}  // namespace bindrt
