// Percentiles of a map, by counting its numbers in bins.
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "kernels/base/dispatch.h"
#include "kernels/base/scratch.h"
#include "kernels/map/map_statistics.h"

namespace bindrt::kernels {
namespace {

constexpr std::uint32_t kBins = 65536;
constexpr std::uint32_t kWays = 4;    // counters of a bin, in turn: neighbours are often equal
constexpr std::int32_t kChunk = 512;  // numbers whose bins are computed at a time
using Chunk = std::array<std::uint32_t, static_cast<std::size_t>(kChunk)>;

// Bins in the order of the numbers in them. Those of at most 16 bits have one each; others are shared out
// evenly between the least and the greatest. Rounding never swaps two numbers, so that the numbers of a
// bin are all those at the bin's places in the order.
template <class Number>
struct Bins {
  static constexpr bool kExact = sizeof(Number) <= 2;
  double half_least = 0.0;  // halves: the difference of two doubles may be too large for one
  double scale = 0.0;

  BINDRT_INLINE void of(const Number* numbers, std::int32_t count, std::uint32_t* out) const {
    for (std::int32_t i = 0; i < count; ++i) {
      if constexpr (kExact) {
        out[i] = static_cast<std::uint32_t>(numbers[i] - std::numeric_limits<Number>::min());
      } else {
        const double place = (static_cast<double>(numbers[i]) * 0.5 - half_least) * scale;
        const double inside = place > 0.0 ? place : 0.0;  // also of a NaN, which has no bin
        out[i] = static_cast<std::uint32_t>(static_cast<std::int32_t>(std::min(inside, kBins - 1.0)));
      }
    }
  }
};

// All calls of one kind of number: the map's numbers, counted in bins.
template <class Number>
struct Counted {
  const Map* map;
  std::uint32_t* counts;  // [kBins, kWays]
  Bins<Number> bins;

  const Number* row(std::int32_t y) const {
    return reinterpret_cast<const Number*>(static_cast<const char*>(map->pixels) + y * map->row_stride);
  }
  std::int64_t count_of(std::uint32_t bin) const {
    std::int64_t count = 0;
    for (std::uint32_t way = 0; way < kWays; ++way) {
      count += counts[bin * kWays + way];
    }
    return count;
  }
};

// Calls `use(numbers, bins, count)` for all numbers, a piece of a row at a time.
template <class Number, class Use>
BINDRT_INLINE void for_chunks(const Counted<Number>& counted, const Use& use) {
  Chunk bins;
  for (std::int32_t y = 0; y < counted.map->height; ++y) {
    const Number* const numbers = counted.row(y);
    for (std::int32_t x = 0; x < counted.map->width; x += kChunk) {
      const std::int32_t count = std::min(kChunk, counted.map->width - x);
      counted.bins.of(numbers + x, count, bins.data());
      use(numbers + x, bins.data(), count);
    }
  }
}

template <class Number>
BINDRT_INLINE void set_bins(Counted<Number>& counted) {
  Number least = std::numeric_limits<Number>::max();
  Number greatest = std::numeric_limits<Number>::lowest();
  for (std::int32_t y = 0; y < counted.map->height; ++y) {
    const Number* const numbers = counted.row(y);
    for (std::int32_t x = 0; x < counted.map->width; ++x) {
      least = numbers[x] < least ? numbers[x] : least;
      greatest = numbers[x] > greatest ? numbers[x] : greatest;
    }
  }
  constexpr double kMost = std::numeric_limits<double>::max();
  counted.bins.half_least = static_cast<double>(least) * 0.5;
  const double range = static_cast<double>(greatest) * 0.5 - counted.bins.half_least;
  counted.bins.scale = range > 0.0 ? std::min((kBins - 1) / range, kMost) : 0.0;
}

template <class Number>
BINDRT_INLINE void count_all(Counted<Number>& counted) {
  std::fill_n(counted.counts, std::size_t{kBins} * kWays, 0U);
  if constexpr (!Bins<Number>::kExact) {
    set_bins(counted);
  }
  for_chunks(counted, [&](const Number*, const std::uint32_t* bins, std::int32_t count)
                          __attribute__((always_inline)) {
                            for (std::int32_t i = 0; i < count; ++i) {
                              ++counted.counts[bins[i] * kWays + static_cast<std::uint32_t>(i) % kWays];
                            }
                          });
}

// The numbers of one bin, of which there are at most `room`; returns how many.
template <class Number>
BINDRT_INLINE std::int64_t collect(const Counted<Number>& counted, std::uint32_t bin, Number* out,
                                   std::int64_t room) {
  std::int64_t found = 0;
  for_chunks(counted, [&](const Number* numbers, const std::uint32_t* bins, std::int32_t count)
                          __attribute__((always_inline)) {
                            std::int32_t here = 0;
                            for (std::int32_t i = 0; i < count; ++i) {
                              here += bins[i] == bin ? 1 : 0;
                            }
                            for (std::int32_t i = 0; here > 0 && i < count; ++i) {
                              if (bins[i] == bin && found < room) {
                                out[found++] = numbers[i];
                              }
                            }
                          });
  return found;
}

template <class Number>
void count_baseline(Counted<Number>& counted) {
  count_all(counted);
}
template <class Number>
BINDRT_AVX2 void count_avx2(Counted<Number>& counted) {
  count_all(counted);
}
template <class Number>
BINDRT_AVX512 void count_avx512(Counted<Number>& counted) {
  count_all(counted);
}
template <class Number>
std::int64_t collect_baseline(const Counted<Number>& counted, std::uint32_t bin, Number* out,
                              std::int64_t room) {
  return collect(counted, bin, out, room);
}
template <class Number>
BINDRT_AVX2 std::int64_t collect_avx2(const Counted<Number>& counted, std::uint32_t bin, Number* out,
                                      std::int64_t room) {
  return collect(counted, bin, out, room);
}
template <class Number>
BINDRT_AVX512 std::int64_t collect_avx512(const Counted<Number>& counted, std::uint32_t bin, Number* out,
                                          std::int64_t room) {
  return collect(counted, bin, out, room);
}

// The numbers of a bin in memory of this thread's; null if there is none.
template <class Number>
Number* numbers_of(const Counted<Number>& counted, std::uint32_t bin, std::int64_t& count) noexcept {
  thread_local Scratch<Number> memory;
  memory.trim();
  const std::int64_t room = counted.count_of(bin);
  Number* const numbers = memory.get(static_cast<std::size_t>(room));
  if (numbers != nullptr) {
    count = choose(&collect_baseline<Number>, &collect_avx2<Number>, &collect_avx512<Number>)(counted, bin,
                                                                                              numbers, room);
  }
  return numbers;
}

template <class Number>
using Pair = std::array<Number, 2>;

// The numbers at places `rank` and `rank + 1` of the order, or at `rank` twice if it is the last. The loops
// end even if someone writes to the map meanwhile.
template <class Number>
bool select(const Counted<Number>& counted, std::int64_t rank, Pair<Number>& found) noexcept {
  std::int64_t left = rank;  // places to go in the bin
  std::uint32_t bin = 0;
  std::int64_t count = counted.count_of(bin);
  while (count <= left && bin + 1 < kBins) {
    left -= count;
    count = counted.count_of(++bin);
  }
  const bool last = rank + 1 == std::int64_t{counted.map->width} * counted.map->height;
  std::uint32_t next = bin + 1;  // the bin of the next number, if this one has no more
  while (next < kBins && counted.count_of(next) == 0) {
    ++next;
  }
  const bool crosses = !last && left + 1 >= count && next < kBins;
  if constexpr (Bins<Number>::kExact) {
    const auto number = [](std::uint32_t of) {
      return static_cast<Number>(static_cast<std::int32_t>(of) + std::numeric_limits<Number>::min());
    };
    found = {number(bin), number(crosses ? next : bin)};
    return true;
  } else {
    Number* const numbers = numbers_of(counted, bin, count);
    if (numbers == nullptr || left >= count) {
      return false;
    }
    std::nth_element(numbers, numbers + left, numbers + count);
    found.fill(numbers[left]);
    if (left + 1 < count) {
      found[1] = *std::min_element(numbers + left + 1, numbers + count);
    } else if (crosses) {
      const Number* const others = numbers_of(counted, next, count);
      if (others == nullptr || count == 0) {
        return false;
      }
      found[1] = *std::min_element(others, others + count);
    }
    return true;
  }
}

// Interpolates from the nearer end, so that the result is rounded as NumPy rounds it.
template <class Number>
double between(const Pair<Number>& ends, double share) noexcept {
  if (share == 0.0) {  // the step may be beyond the largest number
    return static_cast<double>(ends[0]);
  }
  double step = 0.0;
  if constexpr (std::is_floating_point_v<Number>) {
    step = static_cast<double>(ends[1] - ends[0]);
  } else {
    step = static_cast<double>(static_cast<std::uint64_t>(ends[1]) - static_cast<std::uint64_t>(ends[0]));
  }
  return share < 0.5 ? static_cast<double>(ends[0]) + step * share
                     : static_cast<double>(ends[1]) - step * (1.0 - share);
}

template <class Number>
bool percentiles_of(const Map& map, const double* percents, int count, double* values) noexcept {
  thread_local Scratch<std::uint32_t> memory;
  Counted<Number> counted{&map, memory.get(std::size_t{kBins} * kWays), {}};
  if (counted.counts == nullptr) {
    return false;
  }
  choose(&count_baseline<Number>, &count_avx2<Number>, &count_avx512<Number>)(counted);
  const auto last = static_cast<double>(std::int64_t{map.width} * map.height - 1);
  for (int i = 0; i < count; ++i) {
    const double place = std::min(last * (percents[i] / 100.0), last);
    const auto rank = static_cast<std::int64_t>(place);
    Pair<Number> ends;
    if (!select(counted, rank, ends)) {
      return false;
    }
    values[i] = between(ends, place - static_cast<double>(rank));
  }
  return true;
}

}  // namespace

bool map_percentiles(const Map& map, const double* percents, int count, double* values) noexcept {
  bool done = false;
  with_map_row(map, 0, [&](const auto* row) {
    done = percentiles_of<std::remove_cvref_t<decltype(*row)>>(map, percents, count, values);
  });
  return done;
}

}  // namespace bindrt::kernels
