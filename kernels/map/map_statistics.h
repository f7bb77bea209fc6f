// What is to be known of a map as a whole.
#pragma once

#include <cstdint>

#include "kernels/map/map.h"

namespace bindrt::kernels {

// How many numbers are NaN or infinite.
std::int64_t count_not_finite(const Map& map, int threads) noexcept;

// The percentile `percent`, 0 to 100, of each of `count`: of the sorted numbers, interpolated linearly at
// place (n - 1)·percent/100, as numpy.percentile does. The map holds finite numbers, at most 2^32. Exact:
// numbers are counted in bins, and only those of a percentile's bin are put in order. False if there is no
// memory.
bool map_percentiles(const Map& map, const double* percents, int count, double* values) noexcept;

}  // namespace bindrt::kernels
