// Computes the taps of antialiased resizes, and keeps those used lately.
#include "kernels/resize/antialias.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>

namespace bindrt::kernels {
namespace {

double bilinear(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) {
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  }
  if (x < 2.0) {
    return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  }
  return 0.0;
}

std::int32_t to_fixed(double weight) {
  const double scaled = weight * (1 << kFixedBits);
  return static_cast<std::int32_t>(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
}

struct Span {
  std::int32_t begin;
  std::int32_t length;
};

// How output positions lie on the input.
struct Grid {
  explicit Grid(const AxisResize& axis)
      : in_size(axis.in_size),
        begin(axis.begin),
        scale((axis.end - axis.begin) / static_cast<double>(axis.out_size)),
        stretch(std::max(scale, 1.0)),
        support((axis.filter == ResizeFilter::kBilinear ? 1.0 : 2.0) * stretch) {}

  double centre(std::int64_t out) const { return begin + (static_cast<double>(out) + 0.5) * scale; }

  Span span(std::int64_t out) const {
    // Clipped as doubles: the bounds of a huge axis need not fit an int32 before that.
    const double size = in_size;
    const double low = std::clamp(centre(out) - support + 0.5, 0.0, size - 1.0);
    const double high = std::clamp(centre(out) + support + 0.5, 1.0, size);
    const auto from = static_cast<std::int32_t>(low);
    return {from, std::max(static_cast<std::int32_t>(high) - from, 1)};
  }

  std::int32_t in_size;
  double begin;
  double scale;    // input pixels an output pixel
  double stretch;  // how much wider the filter is: only when the picture shrinks
  double support;  // the filter's reach on each side, in input pixels
};

void fill_row(const Grid& grid, double (*filter)(double), std::int64_t out, const Span& span, double* weights,
              std::int32_t* fixed) {
  const double centre = grid.centre(out);
  const double step = 1.0 / grid.stretch;
  double total = 0.0;
  for (std::int32_t k = 0; k < span.length; ++k) {
    weights[k] = filter((static_cast<double>(k) + span.begin - centre + 0.5) * step);
    total += weights[k];
  }
  for (std::int32_t k = 0; k < span.length; ++k) {
    if (total != 0.0) {
      weights[k] /= total;
    }
    fixed[k] = to_fixed(weights[k]);
  }
}

// Weights are below 2^23 in size (bicubic overshoots by an eighth at an edge), so `high` is below 2^8.
void fill_pairs(AxisTaps& taps) {
  const auto count = static_cast<std::size_t>(taps.count);
  taps.pair_begins.resize(count);
  taps.pair_counts.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t from = taps.begins[i] - taps.first_input;
    taps.pair_begins[i] = from / 2;
    taps.pair_counts[i] = (from % 2 + taps.lengths[i] + 1) / 2;
    taps.pair_width = std::max(taps.pair_width, taps.pair_counts[i]);
  }
  taps.pair_weights.resize(count * static_cast<std::size_t>(taps.pair_width) * 4);
  for (std::size_t i = 0; i < count; ++i) {
    std::int16_t* const row = &taps.pair_weights[i * static_cast<std::size_t>(taps.pair_width) * 4];
    const auto skip = static_cast<std::size_t>((taps.begins[i] - taps.first_input) % 2);
    for (std::size_t k = 0; k < static_cast<std::size_t>(taps.lengths[i]); ++k) {
      const std::int32_t weight = taps.fixed[i * static_cast<std::size_t>(taps.width) + k];
      const std::int32_t high = (weight + (1 << (kHighShift - 1))) >> kHighShift;
      std::int16_t* const pair = row + (k + skip) / 2 * 4 + (k + skip) % 2;
      pair[0] = static_cast<std::int16_t>(high);
      pair[2] = static_cast<std::int16_t>(weight - (high << kHighShift));
    }
  }
}

std::shared_ptr<const AxisTaps> make(const AxisResize& axis) {
  const Grid grid(axis);
  auto taps = std::make_shared<AxisTaps>();
  const auto count = static_cast<std::size_t>(axis.count);
  taps->count = axis.count;
  taps->begins.resize(count);
  taps->lengths.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Span span = grid.span(axis.first + static_cast<std::int64_t>(i));
    taps->begins[i] = span.begin;
    taps->lengths[i] = span.length;
    taps->width = std::max(taps->width, span.length);
    taps->last_input = std::max(taps->last_input, span.begin + span.length);
  }
  taps->first_input = taps->begins.front();
  const auto width = static_cast<std::size_t>(taps->width);
  taps->weights.resize(count * width);
  taps->fixed.resize(count * width);
  const auto filter = axis.filter == ResizeFilter::kBilinear ? &bilinear : &bicubic;
  for (std::size_t i = 0; i < count; ++i) {
    fill_row(grid, filter, axis.first + static_cast<std::int64_t>(i), {taps->begins[i], taps->lengths[i]},
             &taps->weights[i * width], &taps->fixed[i * width]);
  }
  fill_pairs(*taps);
  return taps;
}

// The tables used last, at the front the newest.
class TapsCache {
 public:
  std::shared_ptr<const AxisTaps> find(const AxisResize& axis) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&axis](const Entry& e) { return e.axis == axis; });
    if (found == entries_.end()) {
      return nullptr;
    }
    std::rotate(entries_.begin(), found, found + 1);
    return entries_.front().taps;
  }

  void insert(const AxisResize& axis, const std::shared_ptr<const AxisTaps>& taps) {
    if (taps->weights.size() > kMostWeights) {
      return;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (entries_.size() == kMostEntries) {
      entries_.pop_back();
    }
    entries_.insert(entries_.begin(), Entry{axis, taps});
  }

 private:
  static constexpr std::size_t kMostEntries = 64;
  static constexpr std::size_t kMostWeights = 1U << 15;  // 384 kB an entry, 24 MB in all

  struct Entry {
    AxisResize axis;
    std::shared_ptr<const AxisTaps> taps;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

TapsCache& cache() {
  static auto* const instance = new TapsCache;  // leaked: threads may outlive static destructors
  return *instance;
}

}  // namespace

std::shared_ptr<const AxisTaps> antialias_taps(const AxisResize& axis) noexcept {
  try {
    if (auto taps = cache().find(axis)) {
      return taps;
    }
    auto taps = make(axis);
    cache().insert(axis, taps);
    return taps;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

std::string key_of(const AxisResize& axis) {
  std::string key;
  const auto add = [&key](const auto& number) {
    key.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  add(axis.in_size);
  add(axis.out_size);
  add(axis.first);
  add(axis.count);
  add(axis.filter);
  add(axis.begin);
  add(axis.end);
  return key;
}

}  // namespace bindrt::kernels
