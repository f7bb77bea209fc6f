// The example kernels for Python.
#include <cstdint>

#include "tests/cudasim/example_params.h"
#include "tests/cudasim/queue.h"
#include "tests/cudasim/run.h"

using namespace bindrt::cudasim;

// Sums each row of `rows` [count, width] into `sums` [count].
BINDRT_CUDASIM_C int cudasim_example_sum_rows(const float* rows, std::int32_t count, std::int32_t width,
                                              float* sums) {
  return guarded([&] {
    SimQueue queue;
    const auto height = static_cast<std::size_t>(count);
    const DeviceArray<float> input({rows, rows + height * static_cast<std::size_t>(width)});
    const DeviceArray<float> output(height);
    queue.launch("bindrt_example_sum_rows", {.grid_x = static_cast<std::uint32_t>(count), .block_x = 128},
                 example::SumRowsParams{input.data(), output.data(), width});
    copy_from_device(sums, output.data(), height * sizeof(float));
  });
}
