#include "kernels/resample_filter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <new>
#include <numeric>
#include <vector>

#include "kernels/dispatch.h"

namespace bindrt::kernels {
namespace {

constexpr double kZeroCrossings = 6.0;  // of the low-pass, on each side
constexpr double kRollOff = 0.99;
constexpr std::int64_t kMaxTable = std::int64_t{1} << 21;   // taps of one filter that are kept
constexpr std::int64_t kMaxCached = std::int64_t{1} << 23;  // taps of all filters
constexpr std::size_t kMaxFilters = 16;

double base_of(const ResampleRates& rates) noexcept {
  return static_cast<double>(std::min(rates.orig, rates.target)) * kRollOff;
}

// sin(pi x) for |x| <= 0.5; within 1e-13. Unlike the library's it is the same everywhere, and vector code.
BINDRT_INLINE double sin_pi(double x) noexcept {
  const double y = x * x;
  double sum = 0.00044749551500118884;
  sum = sum * y - 0.0073640079444775046;
  sum = sum * y + 0.08214479533213996;
  sum = sum * y - 0.5992644340155919;
  sum = sum * y + 2.5501640359108673;
  sum = sum * y - 5.167712779988024;
  sum = sum * y + 3.141592653589637;
  return sum * x;
}

// sinc(t) cos^2(pi t / 12) for |t| < 6, else 0; |t| is below 7.
BINDRT_INLINE double windowed_sinc(double t) noexcept {
  constexpr double kPi = 3.14159265358979323846;
  constexpr double kToNearest = 0x1.8p52;  // adding it rounds to a whole number
  const double shifted = t + kToNearest;
  const double near = shifted - kToNearest;
  const double half = near * 0.5;
  const double sign = 1.0 - 4.0 * std::fabs(half - ((half + kToNearest) - kToNearest));  // of odd: -1
  const double sine = sign * sin_pi(t - near);
  const double at_zero = t == 0.0 ? 1.0 : 0.0;  // where it is 0 / 0
  const double sinc = (sine + at_zero) / (kPi * t + at_zero);
  const double window = sin_pi(t * (0.5 / kZeroCrossings));
  const double inside = std::fabs(t) < kZeroCrossings ? 1.0 : 0.0;
  return sinc * (1.0 - window * window) * inside;
}

// Taps of the inputs `first` … of the output that is `behind` (a fraction of a second) after input 0.
struct TapsOf {
  float behind;
  float orig;
  float base;
  double scale;

  BINDRT_INLINE void compute(double first, std::int64_t count, float* taps) const noexcept {
    for (std::int64_t i = 0; i < count; ++i) {
      const float k = static_cast<float>(first + static_cast<double>(static_cast<std::int32_t>(i)));
      const auto t = static_cast<double>((behind + k / orig) * base);
      taps[i] = static_cast<float>(windowed_sinc(t) * scale);
    }
  }
};

BINDRT_INLINE void fill(const ResampleFilter& filter, std::int64_t block, float* taps) noexcept {
  const ResampleRates& rates = filter.rates;
  const double base = base_of(rates);
  const std::int64_t first = block * kResampleBlock;
  const std::int64_t start = resample_position(rates, first);
  std::fill(taps, taps + filter.block_size(), 0.0F);
  std::array<float, 64> piece;
  for (std::int64_t output = 0; output < kResampleBlock; ++output) {
    const std::int64_t phase = (first + output) % rates.target;
    const TapsOf of{static_cast<float>(-phase) / static_cast<float>(rates.target),
                    static_cast<float>(rates.orig), static_cast<float>(base),
                    base / static_cast<double>(rates.orig)};
    const std::int64_t near = resample_position(rates, phase);
    const std::int64_t shift = resample_position(rates, first + output) - start;
    const std::int64_t count = 2 * filter.half + 1;
    for (std::int64_t begin = 0; begin < count; begin += 64) {
      const std::int64_t some = std::min<std::int64_t>(count - begin, 64);
      of.compute(static_cast<double>(near - filter.half + begin), some, piece.data());
      for (std::int64_t i = 0; i < some; ++i) {
        const std::int64_t k = shift + begin + i;
        taps[(k / kResampleLanes * kResampleBlock + output) * kResampleLanes + k % kResampleLanes] =
            piece[static_cast<std::size_t>(i)];
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
    double* const sum = sums.data() + resample_position(filter.rates, block * kResampleBlock);
    for (std::int64_t i = 0; i < filter.block_size(); ++i) {
      const std::int64_t k = i / (kResampleBlock * kResampleLanes) * kResampleLanes + i % kResampleLanes;
      sum[k] += static_cast<double>(taps[i]);
    }
  }
  std::transform(sums.begin(), sums.end(), column, [](double sum) { return static_cast<float>(sum); });
}

std::shared_ptr<const ResampleFilter> make(const ResampleRates& rates) {
  auto filter = std::make_shared<ResampleFilter>();
  filter->rates = rates;
  filter->half = resample_half(rates);
  filter->blocks = std::lcm(rates.target, kResampleBlock) / kResampleBlock;
  const std::int64_t spread = (kResampleBlock - 1) * rates.orig / rates.target + 1;  // at most
  const std::int64_t used = 2 * filter->half + 1 + spread;
  filter->width = (used + kResampleLanes - 1) / kResampleLanes * kResampleLanes;
  if (filter->blocks <= kMaxTable / filter->block_size()) {
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
class Cache {
 public:
  std::shared_ptr<const ResampleFilter> get(const ResampleRates& rates) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = std::find_if(filters_.begin(), filters_.end(),
                                      [&rates](const auto& filter) { return filter->rates == rates; });
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
  return static_cast<std::int64_t>(
      std::ceil(kZeroCrossings * static_cast<double>(rates.orig) / base_of(rates)));
}

bool resamples(const ResampleRates& rates) noexcept {
  return rates.orig >= 1 && rates.orig <= kMaxRate && rates.target >= 1 && rates.target <= kMaxRate &&
         resample_half(rates) <= kMaxResampleHalf && std::gcd(rates.orig, rates.target) == 1;
}

void fill_block(const ResampleFilter& filter, std::int64_t block, float* taps) noexcept {
  choose<Fill>(&fill_baseline, &fill_avx2, &fill_avx512)(filter, block, taps);
}

std::shared_ptr<const ResampleFilter> resample_filter(const ResampleRates& rates) noexcept {
  static Cache& cache = *new Cache;  // leaked: threads may outlive static destructors
  try {
    return cache.get(rates);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace bindrt::kernels
