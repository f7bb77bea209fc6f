// Checks of the clips that log-mel spectra are wanted of.
#include "csrc/python/arguments/mel.h"

#include <pybind11/pybind11.h>

#include <string>

namespace py = pybind11;

namespace bindrt {

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
