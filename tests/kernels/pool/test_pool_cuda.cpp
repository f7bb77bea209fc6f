// Pooling on the simulator against the CPU side.
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/pool/pool_gpu.h"
#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

template <class Number>
std::vector<Number> on_device(const PoolInput& host, const PoolOptions& options, std::int64_t rows) {
  SimQueue queue;
  const auto numbers = static_cast<std::size_t>(rows * host.dim);
  const DeviceArray<float> views(std::vector<float>(host.views, host.views + numbers));
  const std::vector<float> given(host.weights == nullptr ? host.views : host.weights,
                                 (host.weights == nullptr ? host.views : host.weights) + rows);
  const DeviceArray<float> weights(given);
  const DeviceArray<Number> out(static_cast<std::size_t>(host.items * host.dim));
  PoolInput device = host;
  device.views = views.data();
  device.weights = host.weights == nullptr ? nullptr : weights.data();
  pool_views_gpu(queue, device, host.weights, options, out.data());
  return out.download();
}

// One rounding apart at most: squares are summed in another order.
bool close(float got, float want) {
  return std::fabs(got - want) <= std::fabs(want) * std::numeric_limits<float>::epsilon();
}

void compare(const std::vector<std::int64_t>& counts, std::int64_t dim, bool weighted, bool normalize) {
  const std::int64_t rows = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  Random random(static_cast<unsigned>(rows * 31 + dim));
  const auto number = [&random] { return static_cast<float>(random.below(20001)) / 10000.0F - 1.0F; };
  std::vector<float> views(static_cast<std::size_t>(rows * dim));
  std::vector<float> weights(static_cast<std::size_t>(rows));
  for (float& value : views) {
    value = number();
  }
  for (float& weight : weights) {
    weight = 1.5F + number();
  }
  if (weighted && counts[0] > 1) {
    weights[0] = 0.0F;
    views[0] = std::numeric_limits<float>::quiet_NaN();
  }
  const auto items = static_cast<std::int64_t>(counts.size());
  const PoolInput input{views.data(), weighted ? weights.data() : nullptr, counts.data(), items, dim};
  PoolOptions options{.normalize = normalize, .scale = 3.5};
  std::vector<float> want(static_cast<std::size_t>(items * dim));
  pool_views(input, options, want.data());
  const std::vector<float> got = on_device<float>(input, options, rows);
  for (std::size_t i = 0; i < want.size(); ++i) {
    CHECK(close(got[i], want[i]));
  }
  options.out_type = OutType::kFloat16;
  const std::vector<std::uint16_t> halves = on_device<std::uint16_t>(input, options, rows);
  for (std::size_t i = 0; i < want.size(); ++i) {
    CHECK(halves[i] == to_half(got[i]));
  }
}

}  // namespace

int main() {
  for (const bool normalize : {false, true}) {
    compare({1}, 1, false, normalize);
    compare({3, 1, 15}, 96, false, normalize);
    compare({2, 4}, 300, true, normalize);
    compare({15}, 1024, true, normalize);
  }
  const std::vector<float> zeros(40);
  const std::vector<std::int64_t> count{2};
  const PoolInput nothing{zeros.data(), nullptr, count.data(), 1, 20};
  CHECK(on_device<float>(nothing, {}, 2) == std::vector<float>(20));
  return bindrt::testing::finish();
}
