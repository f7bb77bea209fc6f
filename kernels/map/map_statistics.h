// Statistics of a whole map.
#pragma once

#include <cstdint>

#include "kernels/map/map.h"

namespace bindrt::kernels {

// How many numbers are NaN or infinite.
std::int64_t count_not_finite(const Map& map, int threads) noexcept;

// Computes `count` percentiles, each of `percents` 0 to 100: the sorted numbers interpolated linearly at
// place (n - 1)·percent/100, as numpy.percentile does. The map holds finite numbers, at most 2^32. The result
// is exact: numbers are counted in bins, and only those of a percentile's bin are put in order. Returns false
// if there is no memory.
bool map_percentiles(const Map& map, const double* percents, int count, double* values) noexcept;

}  // namespace bindrt::kernels
