// The host side of the pool op on a GPU.
#include "kernels/pool/pool_gpu.h"

#include <cstddef>
#include <vector>

namespace bindrt::kernels {
namespace {

std::vector<PoolSpan> spans_of(const PoolInput& input, const float* weights, bool normalize) {
  std::vector<PoolSpan> spans;
  std::int64_t row = 0;
  for (std::int64_t item = 0; item < input.items; ++item) {
    const std::int64_t count = input.counts[item];
    spans.push_back(pool_span(row, count, weights == nullptr ? nullptr : weights + row, normalize));
    row += count;
  }
  return spans;
}

}  // namespace

PoolSpan pool_span(std::int64_t first, std::int64_t count, const float* weights, bool normalize) {
  if (normalize) {
    return {first, count, 0.0};
  }
  auto total = static_cast<double>(count);
  if (weights != nullptr) {
    total = 0.0;
    for (std::int64_t view = 0; view < count; ++view) {
      total += static_cast<double>(weights[view]);
    }
  }
  return {first, count, total};
}

void pool_views_gpu(GpuQueue& queue, const PoolInput& input, const float* host_weights,
                    const PoolOptions& options, void* out) {
  if (input.items == 0 || input.dim == 0) {
    return;
  }
  const std::vector<PoolSpan> spans = spans_of(input, host_weights, options.normalize);
  queue.launch("bindrt_pool_views",
               {.grid_x = static_cast<std::uint32_t>(input.items), .block_x = kPoolThreads},
               PoolParams{.views = input.views,
                          .weights = input.weights,
                          .spans = to_device(queue, spans),
                          .out = out,
                          .dim = input.dim,
                          .scale = options.scale,
                          .type = options.out_type});
}

}  // namespace bindrt::kernels
