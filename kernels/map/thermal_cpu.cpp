// The thermal op on the CPU.
#include <algorithm>
#include <atomic>
#include <limits>

#include "kernels/base/parallel.h"
#include "kernels/image/image.h"
#include "kernels/map/map_square.h"
#include "kernels/map/thermal.h"
#include "kernels/map/thermal_params.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kGrain = 4 * kBlockRows;  // frame rows a thread takes at a time

// Rows of a frame as the resize takes them.
struct ThermalRows {
  const Map& frame;
  ThermalRange range;
  std::int32_t begin;  // the columns that the resize takes
  std::int32_t end;

  BINDRT_INLINE void row(std::int32_t y, float* out) const {
    with_map_row(frame, y, [&](const auto* numbers) __attribute__((always_inline)) {
      const ThermalRange mine = range;
      for (std::int32_t x = begin; x < end; ++x) {
        out[x - begin] = stretched(static_cast<double>(numbers[x]), mine);
      }
    });
  }
};

struct ThermalCall {
  const SquareTaps* taps;
  const ThermalRows* source;
  std::int32_t begin;  // rows of the frame
  std::int32_t end;
  float* scratch;
  float* middle;
};

void rows_baseline(const ThermalCall& call) {
  across_rows<2>(*call.taps, *call.source, call.begin, call.end, call.scratch, call.middle);
}
BINDRT_AVX2 void rows_avx2(const ThermalCall& call) {
  across_rows<4>(*call.taps, *call.source, call.begin, call.end, call.scratch, call.middle);
}
BINDRT_AVX512 void rows_avx512(const ThermalCall& call) {
  across_rows<8>(*call.taps, *call.source, call.begin, call.end, call.scratch, call.middle);
}

}  // namespace

bool thermal_bytes(const Map& frame, OutType out_type, void* out, int threads) noexcept {
  const Picture picture{static_cast<const std::uint8_t*>(frame.pixels), frame.width, frame.height,
                        frame.row_stride, PixelLayout::kGrey};
  return image_to_input(picture, kUnitScale, kPictureSide, out_type, out, threads);
}

bool thermal_stretched(const Map& frame, const ThermalOptions& options, void* out) noexcept {
  thread_local Scratch<float> middle_memory;
  const SquareTaps taps = square_taps(frame, ResizeFilter::kBicubic);
  float* const middle =
      taps ? middle_memory.get(static_cast<std::size_t>(taps.rows()) * kPictureSide) : nullptr;
  if (middle == nullptr) {
    return false;
  }
  const ThermalRows source{frame, thermal_range(options.low, options.high), taps.across->first_input,
                           taps.across->last_input};
  const std::int32_t first = taps.down->first_input;
  std::atomic<bool> failed{false};
  const auto run = choose(&rows_baseline, &rows_avx2, &rows_avx512);
  parallel_for(taps.rows(), kGrain, options.threads, [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch<float> row_memory;
    float* const scratch = row_memory.get(across_scratch(taps));
    if (scratch == nullptr) {
      failed.store(true, std::memory_order_relaxed);
      return;
    }
    run({&taps, &source, first + static_cast<std::int32_t>(begin), first + static_cast<std::int32_t>(end),
         scratch, middle + begin * kPictureSide});
    row_memory.trim();
  });
  if (!failed.load()) {
    finish_square(*taps.down, middle, {1.0, 0.0, 0.0, 1.0}, options.out_type, out, options.threads);
  }
  middle_memory.trim();
  return !failed.load();
}

}  // namespace bindrt::kernels
