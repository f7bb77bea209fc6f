// Makes the resampling filters' tables of taps, and keeps those used lately.
#include "kernels/resample/resample_filter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <new>
#include <numeric>
#include <vector>

#include "kernels/base/dispatch.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kMaxCached = std::int64_t{1} << 23;  // taps of all filters
constexpr std::size_t kMaxFilters = 16;

// A loop of its own, so that it becomes vector code.
BINDRT_INLINE void compute(const TapsOf& of, double first, std::int32_t count, float* taps) noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    taps[i] = of.at(first + static_cast<double>(i));
  }
}

BINDRT_INLINE void fill(const ResampleFilter& filter, std::int64_t block, float* taps) noexcept {
  const std::int64_t first = block * kResampleBlock;
  const std::int64_t start = filter.position(first);
  std::fill(taps, taps + filter.block_size(), 0.0F);
  std::array<float, 64> piece;
  for (std::int64_t output = 0; output < kResampleBlock; ++output) {
    const std::int64_t phase = (first + output) % filter.target;
    const TapsOf of = taps_of(filter, phase);
    const std::int64_t near = filter.position(phase);
    const std::int64_t shift = filter.position(first + output) - start;
    const std::int64_t count = 2 * filter.half + 1;
    for (std::int64_t begin = 0; begin < count; begin += 64) {
      const auto some = static_cast<std::int32_t>(std::min<std::int64_t>(count - begin, 64));
      compute(of, static_cast<double>(near - filter.half + begin), some, piece.data());
      for (std::int32_t i = 0; i < some; ++i) {
        taps[tap_index(output, shift + begin + i)] = piece[static_cast<std::size_t>(i)];
      }
    }
  }
}

using Fill = void (*)(const ResampleFilter&, std::int64_t, float*) noexcept;
void fill_baseline(const ResampleFilter& f, std::int64_t block, float* taps) noexcept {
  fill(f, block, taps);
}
BINDRT_AVX2 void fill_avx2(const ResampleFilter& f, std::int64_t block, float* taps) noexcept {
  fill(f, block, taps);
}
BINDRT_AVX512 void fill_avx512(const ResampleFilter& f, std::int64_t block, float* taps) noexcept {
  fill(f, block, taps);
}

void add_up_columns(const ResampleFilter& filter, float* column) {
  std::vector<double> sums(static_cast<std::size_t>(filter.columns), 0.0);
  for (std::int64_t block = 0; block < filter.blocks; ++block) {
    const float* const taps = filter.table + block * filter.block_size();
    double* const sum = sums.data() + filter.position(block * kResampleBlock);
    for (std::int64_t i = 0; i < filter.block_size(); ++i) {
      const std::int64_t k = i / (kResampleBlock * kResampleLanes) * kResampleLanes + i % kResampleLanes;
      sum[k] += static_cast<double>(taps[i]);
    }
  }
  std::transform(sums.begin(), sums.end(), column, [](double sum) { return static_cast<float>(sum); });
}

std::shared_ptr<const ResampleFilter> make(const ResampleRates& rates) {
  auto filter = std::make_shared<ResampleFilter>();
  static_cast<ResampleShape&>(*filter) = resample_shape(rates);
  if (filter->blocks <= kMostTableTaps / filter->block_size()) {
    const std::int64_t size = filter->block_size();
    filter->columns = filter->period_inputs() + filter->width;
    float* const table =
        filter->memory.get(static_cast<std::size_t>(filter->blocks * size + filter->columns));
    if (table == nullptr) {
      return nullptr;
    }
    for (std::int64_t block = 0; block < filter->blocks; ++block) {
      fill_block(*filter, block, table + block * size);
    }
    filter->table = table;
    filter->column = table + filter->blocks * size;
    add_up_columns(*filter, table + filter->blocks * size);
  }
  return filter;
}

std::int64_t kept_taps(const ResampleFilter& filter) noexcept {
  return filter.table == nullptr ? 0 : filter.blocks * filter.block_size();
}

// The last filters used, newest first.
class FilterCache {
 public:
  std::shared_ptr<const ResampleFilter> get(const ResampleRates& rates) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = std::find_if(filters_.begin(), filters_.end(), [&rates](const auto& filter) {
        return filter->orig == rates.orig && filter->target == rates.target;
      });
      if (found != filters_.end()) {
        std::rotate(filters_.begin(), found, found + 1);
        return filters_.front();
      }
    }
    auto made = make(rates);  // without the lock: a large one takes a while
    if (made != nullptr) {
      const std::lock_guard<std::mutex> lock(mutex_);
      filters_.insert(filters_.begin(), made);
      drop_old();
    }
    return made;
  }

 private:
  void drop_old() noexcept {
    std::int64_t taps = 0;
    std::size_t keep = 0;
    while (keep < filters_.size() && keep < kMaxFilters) {
      taps += kept_taps(*filters_[keep]);
      if (taps > kMaxCached) {
        break;
      }
      ++keep;
    }
    filters_.resize(keep);
  }

  std::mutex mutex_;
  std::vector<std::shared_ptr<const ResampleFilter>> filters_;
};

}  // namespace

std::int64_t resample_half(const ResampleRates& rates) noexcept {
  const double base = static_cast<double>(std::min(rates.orig, rates.target)) * kResampleRolloff;
  return static_cast<std::int64_t>(std::ceil(kResampleWidth * static_cast<double>(rates.orig) / base));
}

bool resamples(const ResampleRates& rates) noexcept {
  return rates.orig >= 1 && rates.orig <= kMaxRate && rates.target >= 1 && rates.target <= kMaxRate &&
         rates.orig <= ((std::int64_t{1} << 62) - 1) / rates.target &&
         resample_half(rates) <= kMaxResampleHalf && std::gcd(rates.orig, rates.target) == 1;
}

ResampleShape resample_shape(const ResampleRates& rates) noexcept {
  const std::int64_t half = resample_half(rates);
  const std::int64_t spread = (kResampleBlock - 1) * rates.orig / rates.target + 1;  // at most
  const std::int64_t used = 2 * half + 1 + spread;
  const std::int64_t width = (used + kResampleLanes - 1) / kResampleLanes * kResampleLanes;
  const std::int64_t blocks = std::lcm(rates.target, kResampleBlock) / kResampleBlock;
  return {rates.orig, rates.target, half, width, blocks};
}

void fill_block(const ResampleFilter& filter, std::int64_t block, float* taps) noexcept {
  choose<Fill>(&fill_baseline, &fill_avx2, &fill_avx512)(filter, block, taps);
}

std::shared_ptr<const ResampleFilter> resample_filter(const ResampleRates& rates) noexcept {
  static FilterCache& cache = *new FilterCache;  // leaked: threads may outlive static destructors
  try {
    return cache.get(rates);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace bindrt::kernels
