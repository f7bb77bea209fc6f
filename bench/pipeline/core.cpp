// The pipeline's own cost without Python: an engine that is busy for a millisecond a batch by its own clock.
// Prints JSON. Usage: bench_pipeline [REQUESTS]

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "csrc/pipeline/pipeline.h"

namespace {

using namespace bindrt::pipeline;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

constexpr std::int64_t kDim = 1024;
constexpr std::int64_t kRowBytes = 77 * 8;

void spin(nanoseconds duration) {
  const Time end = Clock::now() + duration;
  while (Clock::now() < end) {
  }
}

class Simulated final : public Callbacks {
 public:
  FailurePtr prepare(const Request&, Place& place) override {
    auto* const to = static_cast<std::byte*>(place.reserve(1));
    spin(microseconds(50));
    std::fill(to, to + place.row_bytes(), std::byte{1});
    return nullptr;
  }
  EngineResult run(const EngineCall& call) override {
    const Time begin = Clock::now();
    spin(microseconds(1000));
    std::fill(call.output, call.output + call.rows * kDim, 1.0F);
    busy = (Clock::now() - begin).count();
    return {};
  }
  void deliver(std::span<const Delivery> deliveries) noexcept override {
    delivered.fetch_add(static_cast<int>(deliveries.size()));
    delivered.notify_all();
  }

  std::atomic<std::int64_t> busy{0};  // nanoseconds of the last call
  std::atomic<int> delivered{0};
};

struct World {
  World(std::int64_t batch, int threads) : calls(std::make_shared<Simulated>()) {
    LaneOptions options;
    options.name = "text";
    options.classes = {{0, kRowBytes}};
    options.dim = kDim;
    options.max_batch = batch;
    pipeline = Pipeline::make({options}, calls, Workers::make(threads));
  }
  RequestPtr request() const {
    auto made = std::make_shared<Request>();
    made->out = nullptr;
    return made;
  }

  std::shared_ptr<Simulated> calls;
  std::shared_ptr<Pipeline> pipeline;
};

double percentile(std::vector<double>& values, double fraction) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1))];
}

void latency(int requests) {
  World world(16, 1);
  const std::vector<std::byte> input(kRowBytes);
  std::vector<double> over;
  for (int i = 0; i < requests; ++i) {
    const RequestPtr request = world.request();
    request->ready = Ready{input.data(), 1, kRowBytes, 0};
    const Time begin = Clock::now();
    world.pipeline->submit(request);
    world.calls->delivered.wait(i);
    over.push_back(static_cast<double>((Clock::now() - begin).count() - world.calls->busy.load()) / 1e3);
  }
  std::printf(R"({"overhead_us": {"p50": %.2f, "p90": %.2f, "p99": %.2f}, )", percentile(over, 0.5),
              percentile(over, 0.9), percentile(over, 0.99));
}

void offline(int requests) {
  World world(16, static_cast<int>(std::max(2U, std::thread::hardware_concurrency())));
  const Time begin = Clock::now();
  for (int i = 0; i < requests; ++i) {
    const RequestPtr request = world.request();
    while (world.pipeline->submit(request) == Submitted::kFull) {
      world.pipeline->wait_for_room(0, Clock::now() + std::chrono::seconds(10));
    }
  }
  world.pipeline->close(Closing::kDrain);
  const auto wall = static_cast<double>((Clock::now() - begin).count());
  const LaneCounts counts = world.pipeline->snapshot(0).counts;
  std::printf(R"("engine_busy_share": %.4f, "rows_a_batch": %.2f, "requests_per_second": %.0f})"
              "\n",
              static_cast<double>(world.pipeline->executor_snapshot(0).busy_nanoseconds) / wall,
              static_cast<double>(counts.rows) / static_cast<double>(counts.batches), requests / wall * 1e9);
}

}  // namespace

int main(int argc, char** argv) {
  const int requests = argc > 1 ? std::max(std::atoi(argv[1]), 1) : 2000;
  latency(requests);
  offline(requests * 4);
  return 0;
}
