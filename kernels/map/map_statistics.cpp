// Counts the numbers of a map that are not finite.
#include "kernels/map/map_statistics.h"

#include <atomic>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/base/dispatch.h"
#include "kernels/base/parallel.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kGrain = 32;  // rows a thread takes at a time

struct RowRange {
  const Map* map;
  std::int32_t begin;
  std::int32_t end;
};

BINDRT_INLINE std::int64_t not_finite_in(const RowRange& rows) {
  std::int64_t bad = 0;
  for (std::int32_t y = rows.begin; y < rows.end; ++y) {
    with_map_row(*rows.map, y, [&](const auto* row) __attribute__((always_inline)) {
      using Number = std::remove_cvref_t<decltype(*row)>;
      if constexpr (std::is_floating_point_v<Number>) {
        constexpr Number kMost = std::numeric_limits<Number>::max();
        std::int32_t found = 0;
        for (std::int32_t x = 0; x < rows.map->width; ++x) {
          found += std::abs(row[x]) <= kMost ? 0 : 1;
        }
        bad += found;
      }
    });
  }
  return bad;
}
std::int64_t not_finite_baseline(const RowRange& rows) { return not_finite_in(rows); }
BINDRT_AVX2 std::int64_t not_finite_avx2(const RowRange& rows) { return not_finite_in(rows); }
BINDRT_AVX512 std::int64_t not_finite_avx512(const RowRange& rows) { return not_finite_in(rows); }

}  // namespace

std::int64_t count_not_finite(const Map& map, int threads) noexcept {
  if (map.type != MapType::kFloat32 && map.type != MapType::kFloat64) {
    return 0;
  }
  std::atomic<std::int64_t> bad{0};
  const auto run = choose(&not_finite_baseline, &not_finite_avx2, &not_finite_avx512);
  parallel_for(map.height, kGrain, threads, [&](std::int64_t begin, std::int64_t end) {
    bad.fetch_add(run({&map, static_cast<std::int32_t>(begin), static_cast<std::int32_t>(end)}),
                  std::memory_order_relaxed);
  });
  return bad.load();
}

}  // namespace bindrt::kernels
