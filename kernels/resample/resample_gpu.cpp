// The host side of the resampling op on a GPU.
#include "kernels/resample/resample_gpu.h"

#include <algorithm>
#include <vector>

#include "kernels/resample/resample_filter.h"
#include "kernels/resample/resample_params.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kSharedFloats = 12288;  // 48 KB, which every GPU has

// Inputs that `tile` blocks of outputs read.
std::int64_t window_of(const ResampleShape& shape, std::int64_t tile) noexcept {
  return (tile - 1) * kResampleBlock * shape.orig / shape.target + 1 + shape.width;
}

// As many blocks of outputs as threads can compute at once and shared memory has room for.
std::int32_t tile_of(const ResampleShape& shape) noexcept {
  std::int64_t tile = kThreads / kResampleBlock;
  while (tile > 1 && window_of(shape, tile) > kSharedFloats) {
    tile /= 2;
  }
  return static_cast<std::int32_t>(tile);
}

// The tables of a call: one for each pair of rates.
class TapTables {
 public:
  explicit TapTables(GpuQueue& queue) : queue_(queue) {}

  // Null for a table that is too large, or would be larger than the work.
  const float* get(const ResampleShape& shape, std::int64_t outputs) {
    const std::int64_t taps = shape.blocks <= kMostTableTaps / shape.block_size()
                                  ? shape.blocks * shape.block_size()
                                  : kMostTableTaps + 1;
    if (taps > kMostTableTaps || shape.blocks > outputs) {
      return nullptr;
    }
    const auto found = std::find_if(tables_.begin(), tables_.end(), [&shape](const ResampleTable& table) {
      return table.shape.orig == shape.orig && table.shape.target == shape.target;
    });
    if (found != tables_.end()) {
      return found->taps;
    }
    void* const memory = queue_.scratch(static_cast<std::size_t>(taps) * sizeof(float));
    tables_.push_back({shape, static_cast<float*>(memory)});
    most_taps_ = std::max(most_taps_, taps);
    return tables_.back().taps;
  }

  void compute() {
    constexpr std::int64_t kMostBlocks = 256;
    for (std::size_t begin = 0; begin < tables_.size(); begin += kMostGridRows) {
      const std::size_t count = std::min<std::size_t>(tables_.size() - begin, kMostGridRows);
      const ResampleTable* const tables = to_device(queue_, tables_.data() + begin, count);
      const std::int64_t blocks = std::min((most_taps_ + kThreads - 1) / kThreads, kMostBlocks);
      queue_.launch("bindrt_resample_taps",
                    {.grid_x = static_cast<std::uint32_t>(blocks),
                     .grid_y = static_cast<std::uint32_t>(count),
                     .block_x = static_cast<std::uint32_t>(kThreads)},
                    ResampleTapsParams{tables});
    }
  }

 private:
  GpuQueue& queue_;
  std::vector<ResampleTable> tables_;
  std::int64_t most_taps_ = 0;
};

ResampleGpuItem prepare(const ResampleItem& item, TapTables& tables) {
  ResampleGpuItem made;
  made.view = item.view;
  made.channel = item.channel;
  made.first = item.first;
  made.count = item.count;
  made.first_block = item.first / kResampleBlock;
  made.blocks = (item.first + item.count - 1) / kResampleBlock + 1 - made.first_block;
  made.out = item.out;
  if (item.rates.orig != item.rates.target) {
    made.shape = resample_shape(item.rates);
    made.table = tables.get(made.shape, item.count);
  }
  made.tile = tile_of(made.shape);
  return made;
}

}  // namespace

bool resamples_on_gpu(const ResampleRates& rates) noexcept {
  return resamples(rates) &&
         (rates.orig == rates.target || window_of(resample_shape(rates), 1) <= kSharedFloats);
}

void resample_gpu(GpuQueue& queue, const ResampleItem* items, std::int64_t count) {
  TapTables tables(queue);
  std::vector<ResampleGpuItem> made;
  for (std::int64_t i = 0; i < count; ++i) {
    if (items[i].count > 0) {
      made.push_back(prepare(items[i], tables));
    }
  }
  tables.compute();
  for (std::size_t begin = 0; begin < made.size(); begin += kMostGridRows) {
    const std::size_t some = std::min<std::size_t>(made.size() - begin, kMostGridRows);
    std::int64_t tiles = 0;
    std::int64_t window = 0;
    for (std::size_t i = begin; i < begin + some; ++i) {
      tiles = std::max(tiles, (made[i].blocks + made[i].tile - 1) / made[i].tile);
      window = std::max(window, window_of(made[i].shape, made[i].tile));
    }
    const ResampleGpuItem* const on_device = to_device(queue, made.data() + begin, some);
    queue.launch(
        "bindrt_resample",
        {.grid_x = static_cast<std::uint32_t>(tiles),
         .grid_y = static_cast<std::uint32_t>(some),
         .block_x = static_cast<std::uint32_t>(kThreads),
         .shared_bytes = static_cast<std::uint32_t>(window * static_cast<std::int64_t>(sizeof(float)))},
        ResampleParams{on_device});
  }
}

}  // namespace bindrt::kernels
