// The depth op on the CPU.
#include <algorithm>
#include <atomic>
#include <limits>
#include <type_traits>

#include "kernels/base/parallel.h"
#include "kernels/map/depth.h"
#include "kernels/map/depth_params.h"
#include "kernels/map/depth_setup.h"
#include "kernels/map/map_square.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kGrain = 4 * kBlockRows;  // map rows a thread takes at a time

template <class Number>
BINDRT_INLINE std::int64_t count_missing(const Number* row, std::int32_t begin, std::int32_t end) {
  std::int32_t missing = 0;
  for (std::int32_t x = begin; x < end; ++x) {
    missing += depth_is_known(row[x]) ? 0 : 1;
  }
  return missing;
}

template <bool kReady, bool kSunRgbd, class Number>
BINDRT_INLINE void convert(const Number* row, std::int32_t count, const DepthFactors& given, float* out) {
  DepthFactors factors = given;
  factors.ready = kReady ? 1 : 0;
  for (std::int32_t x = 0; x < count; ++x) {
    if constexpr (kSunRgbd) {
      out[x] = scaled_disparity(known_sun_rgbd(row[x]), factors);
    } else {
      out[x] = scaled_disparity(known_depth(row[x]), factors);
    }
  }
}

// Rows of a map as the resize takes them.
struct DepthRows {
  const Map& map;
  const DepthFactors& factors;
  bool packed;
  std::int32_t begin;  // the columns that the resize takes
  std::int32_t end;
  bool counts;
  std::int64_t missing;

  template <class Number>
  BINDRT_INLINE void typed_row(const Number* row, float* out) {
    missing += counts ? count_missing(row, 0, map.width) : 0;
    if (factors.ready != 0) {
      convert<true, false>(row + begin, end - begin, factors, out);
    } else if (std::is_integral_v<Number> && packed) {
      if constexpr (std::is_integral_v<Number>) {
        convert<false, true>(row + begin, end - begin, factors, out);
      }
    } else {
      convert<false, false>(row + begin, end - begin, factors, out);
    }
  }

  BINDRT_INLINE void row(std::int32_t y, float* out) {
    with_map_row(map, y, [&](const auto* typed) __attribute__((always_inline)) { typed_row(typed, out); });
  }
};

struct DepthCall {
  const Map* map;
  const DepthFactors* factors;
  const SquareTaps* taps;
  bool packed;
  bool counts;
  std::int32_t begin;  // rows of the map
  std::int32_t end;
  float* scratch;
  float* middle;
  std::int64_t missing;
};

template <int N>
BINDRT_INLINE void run_rows(DepthCall& call) {
  const AxisTaps& across = *call.taps->across;
  DepthRows source{*call.map, *call.factors, call.packed, across.first_input, across.last_input, call.counts,
                   0};
  across_rows<N>(*call.taps, source, call.begin, call.end, call.scratch, call.middle);
  call.missing = source.missing;
}
void rows_baseline(DepthCall& call) { run_rows<2>(call); }
BINDRT_AVX2 void rows_avx2(DepthCall& call) { run_rows<4>(call); }
BINDRT_AVX512 void rows_avx512(DepthCall& call) { run_rows<8>(call); }

BINDRT_INLINE void run_count(DepthCall& call) {
  for (std::int32_t y = call.begin; y < call.end; ++y) {
    with_map_row(*call.map, y, [&](const auto* row) __attribute__((always_inline)) {
      call.missing += count_missing(row, 0, call.map->width);
    });
  }
}
void count_baseline(DepthCall& call) { run_count(call); }
BINDRT_AVX2 void count_avx2(DepthCall& call) { run_count(call); }
BINDRT_AVX512 void count_avx512(DepthCall& call) { run_count(call); }

// How many pixels are missing in rows [begin, end), which the square does not depend on.
std::int64_t count_rows(const Map& map, std::int32_t begin, std::int32_t end, int threads) noexcept {
  std::atomic<std::int64_t> missing{0};
  const auto run = choose(&count_baseline, &count_avx2, &count_avx512);
  parallel_for(end - begin, kGrain, threads, [&](std::int64_t from, std::int64_t to) {
    DepthCall call{};
    call.map = &map;
    call.begin = begin + static_cast<std::int32_t>(from);
    call.end = begin + static_cast<std::int32_t>(to);
    run(call);
    missing.fetch_add(call.missing, std::memory_order_relaxed);
  });
  return missing.load();
}

}  // namespace

DepthFactors depth_factors(const DepthOptions& options) noexcept {
  const double pixels = options.baseline * options.focal / kDisparityMax;
  const double missing = pixels / (options.missing_near ? kDepthNearest : kDepthFarthest);
  const double lowest = kDisparityMin / kDisparityMax;
  DepthFactors factors{};
  factors.gain = static_cast<float>(options.depth_scale);
  factors.nearest = static_cast<float>(kDepthNearest);
  factors.farthest = static_cast<float>(kDepthFarthest);
  factors.ratio = static_cast<float>(pixels);
  factors.lowest = static_cast<float>(lowest);
  factors.missing = static_cast<float>(std::clamp(missing, lowest, 1.0));
  switch (options.unit) {
    case DepthUnit::kMetres:
      break;
    case DepthUnit::kSunRgbd:
      factors.farthest =
          static_cast<float>(std::clamp(options.depth_scale * kSunRgbdMax, kDepthNearest, kDepthFarthest));
      [[fallthrough]];
    case DepthUnit::kMillimetres:
      factors.gain = static_cast<float>(options.depth_scale / 1000.0);
      break;
    case DepthUnit::kDisparity:
      factors.gain = static_cast<float>(1.0 / kDisparityMax);
      factors.ready = 1;
      break;
  }
  return factors;
}

SquareFinish depth_finish() noexcept {
  constexpr double kEnd = std::numeric_limits<double>::infinity();
  return {1.0 / kDisparityStd, -kDisparityMean / kDisparityStd, -kEnd, kEnd};
}

bool depth_square(const Map& map, const DepthOptions& options, void* out, std::int64_t* missing) noexcept {
  thread_local Scratch<float> middle_memory;
  const SquareTaps taps = square_taps(map, ResizeFilter::kBilinear);
  float* const middle =
      taps ? middle_memory.get(static_cast<std::size_t>(taps.rows()) * kPictureSide) : nullptr;
  if (middle == nullptr) {
    return false;
  }
  const DepthFactors factors = depth_factors(options);
  const bool packed = options.unit == DepthUnit::kSunRgbd;
  const std::int32_t first = taps.down->first_input;
  std::atomic<std::int64_t> found{0};
  std::atomic<bool> failed{false};
  const auto run = choose(&rows_baseline, &rows_avx2, &rows_avx512);
  parallel_for(taps.rows(), kGrain, options.threads, [&](std::int64_t from, std::int64_t to) {
    thread_local Scratch<float> row_memory;
    float* const scratch = row_memory.get(across_scratch(taps));
    if (scratch == nullptr) {
      failed.store(true, std::memory_order_relaxed);
      return;
    }
    DepthCall call{&map,
                   &factors,
                   &taps,
                   packed,
                   missing != nullptr,
                   first + static_cast<std::int32_t>(from),
                   first + static_cast<std::int32_t>(to),
                   scratch,
                   middle + from * kPictureSide,
                   0};
    run(call);
    row_memory.trim();
    found.fetch_add(call.missing, std::memory_order_relaxed);
  });
  if (failed.load()) {
    return false;
  }
  finish_square(*taps.down, middle, depth_finish(), options.out_type, out, options.threads);
  middle_memory.trim();
  if (missing != nullptr) {
    *missing = found.load() + count_rows(map, 0, first, options.threads) +
               count_rows(map, taps.down->last_input, map.height, options.threads);
  }
  return true;
}

std::int64_t count_missing_depth(const Map& map, int threads) noexcept {
  return count_rows(map, 0, map.height, threads);
}

}  // namespace bindrt::kernels
