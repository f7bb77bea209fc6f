// The host side of the conversion to binary16 on a GPU.
#include "kernels/base/half_gpu.h"

#include <algorithm>

#include "kernels/base/half_params.h"

namespace bindrt::kernels {

void to_halves_gpu(GpuQueue& queue, const float* from, std::int64_t count, void* to) {
  constexpr std::uint32_t kThreads = 256;
  constexpr std::int64_t kEach = 4;  // numbers of a thread
  constexpr std::int64_t kBlock = kThreads * kEach;
  if (count == 0) {
    return;
  }
  const std::int64_t blocks = std::min((count + kBlock - 1) / kBlock, kMostGridRows);
  queue.launch("bindrt_to_halves", {.grid_x = static_cast<std::uint32_t>(blocks), .block_x = kThreads},
               HalfParams{from, static_cast<std::uint16_t*>(to), count});
}

}  // namespace bindrt::kernels
