#include "csrc/python/arguments/audio.h"

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

std::vector<kernels::ClipRange> read_ranges(const ClipPairs& pairs, const std::vector<double>& means,
                                            std::int64_t samples) {
  if (pairs.size() > kernels::kMostClips || (!means.empty() && means.size() != pairs.size())) {
    throw py::value_error("there are " + std::to_string(pairs.size()) + " ranges and " +
                          std::to_string(means.size()) + " means; at most " +
                          std::to_string(kernels::kMostClips) + ", and one mean each or none, are taken");
  }
  std::vector<kernels::ClipRange> ranges;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto [begin, end] = pairs[i];
    const bool later = i == 0 || (begin >= pairs[i - 1].first && end >= pairs[i - 1].second);
    if (begin < 0 || end < begin || end > samples || !later) {
      throw py::value_error("ranges[" + std::to_string(i) + "] is " + std::to_string(begin) + " to " +
                            std::to_string(end) + "; ranges lie in order inside the " +
                            std::to_string(samples) + " samples");
    }
    ranges.push_back({begin, end, means.empty() ? 0.0 : means[i]});
  }
  return ranges;
}

}  // namespace bindrt
