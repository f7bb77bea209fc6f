// Conversion to binary16 on the simulator: each number as to_half makes it, and none beside them.
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <vector>

#include "kernels/base/half_gpu.h"
#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

void compare(std::size_t count) {
  Random random(static_cast<unsigned>(count));
  std::vector<float> numbers(count);
  for (float& each : numbers) {
    each = (static_cast<float>(random.below(20001)) / 10000.0F - 1.0F) *
           std::ldexp(1.0F, 17 - static_cast<int>(random.below(45)));
  }
  constexpr float kEdges[] = {
      0.0F,           -0.0F,    65504.0F, 65520.0F,   1.00048828125F,
      1.00146484375F, 0x1p-24F, 0x1p-25F, 0x1.8p-25F, -std::numeric_limits<float>::infinity()};
  for (std::size_t i = 0; i < std::size(kEdges) && i < count; ++i) {
    numbers[i] = kEdges[i];
  }
  SimQueue queue;
  const DeviceArray<float> from(numbers);
  const DeviceArray<std::uint16_t> to(count);
  to_halves_gpu(queue, from.data(), static_cast<std::int64_t>(count), to.data());
  const std::vector<std::uint16_t> got = to.download();
  for (std::size_t i = 0; i < count; ++i) {
    CHECK(got[i] == to_half(numbers[i]));
  }
}

}  // namespace

int main() {
  for (const std::size_t count : {1U, 31U, 1024U, 5003U}) {
    compare(count);
  }
  SimQueue queue;
  to_halves_gpu(queue, nullptr, 0, nullptr);
  return bindrt::testing::finish();
}
