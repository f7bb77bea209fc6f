// The pipeline's own cost without Python: an engine that is busy for a millisecond a batch by its own clock.
// Prints JSON. Usage: bench_pipeline [REQUESTS [SPIN]], SPIN in microseconds.

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

Time spin(nanoseconds duration) {
  const Time end = Clock::now() + duration;
  Time now = Clock::now();
  while (now < end) {
    now = Clock::now();
  }
  return now;
}

double microseconds_of(Clock::duration duration) { return static_cast<double>(duration.count()) / 1e3; }

void print_percentiles(const char* name, std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const auto at = [&values](double fraction) {
    return values[static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1))];
  };
  std::printf(R"("%s": {"p50": %.2f, "p90": %.2f, "p99": %.2f}, )", name, at(0.5), at(0.9), at(0.99));
}

class Simulated final : public Callbacks {
 public:
  FailurePtr prepare(const Request&, ItemRows& rows) override {
    auto* const to = static_cast<std::byte*>(rows.reserve(1));
    spin(microseconds(25));
    std::fill(to, to + rows.row_bytes(), std::byte{1});
    return nullptr;
  }
  EngineResult run(const EngineCall& call) override {
    const Time begin = Clock::now();
    if (ended != Time()) {
      waited.push_back(microseconds_of(begin - ended));
    }
    spin(microseconds(1000));
    std::fill(call.output, call.output + call.rows * kDim, 1.0F);
    ended = Clock::now();
    busy = ended - begin;
    return {};
  }
  void deliver(std::span<const Delivery> deliveries) noexcept override {
    handed_over = Clock::now();
    delivered.fetch_add(static_cast<int>(deliveries.size()));
    delivered.notify_all();
  }

  Clock::duration busy{};  // in the last call; this and the next are read after `delivered`
  Time handed_over;
  Time ended;                  // the last call
  std::vector<double> waited;  // between calls
  std::atomic<int> delivered{0};
};

struct World {
  World(std::int64_t batch, int threads, microseconds looks) : calls(std::make_shared<Simulated>()) {
    LaneOptions options;
    options.name = "text";
    options.classes = {{0, kRowBytes}};
    options.dim = kDim;
    options.max_batch = batch;
    options.spin = looks;
    pipeline = Pipeline::make({options}, calls, Workers::make(threads));
  }

  std::shared_ptr<Simulated> calls;
  std::shared_ptr<Pipeline> pipeline;
};

// One request at a time: to the call of deliver(), and until the thread that submitted it runs again.
void latency(int requests, microseconds looks) {
  World world(16, 1, looks);
  const std::vector<std::byte> input(kRowBytes);
  std::vector<double> handed_over;
  std::vector<double> woken;
  for (int i = 0; i < requests; ++i) {
    const auto request = std::make_shared<Request>();
    request->ready = Ready{input.data(), 1, kRowBytes, 0};
    const Time begin = Clock::now();
    world.pipeline->submit(request);
    world.calls->delivered.wait(i);
    const Time end = Clock::now();
    handed_over.push_back(microseconds_of(world.calls->handed_over - begin - world.calls->busy));
    woken.push_back(microseconds_of(end - begin - world.calls->busy));
  }
  print_percentiles("overhead_us", handed_over);
  print_percentiles("overhead_woken_us", woken);
}

// What of that no pipeline can save: two threads that wake each other, with the same millisecond between.
void floor_of_waking(int rounds) {
  std::mutex mutex;
  std::condition_variable wake;
  int turn = 0;  // odd: the engine's
  Clock::duration busy{};
  Time handed_over;
  std::thread engine([&] {
    for (int i = 0; i < rounds; ++i) {
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return turn == 2 * i + 1; });
      lock.unlock();
      const Time begin = Clock::now();
      busy = spin(microseconds(1000)) - begin;
      lock.lock();
      handed_over = Clock::now();
      ++turn;
      lock.unlock();
      wake.notify_one();
    }
  });
  std::vector<double> once;
  std::vector<double> twice;
  for (int i = 0; i < rounds; ++i) {
    const Time begin = Clock::now();
    std::unique_lock lock(mutex);
    ++turn;
    lock.unlock();
    wake.notify_one();
    lock.lock();
    wake.wait(lock, [&] { return turn == 2 * i + 2; });
    const Time end = Clock::now();
    once.push_back(microseconds_of(handed_over - begin - busy));
    twice.push_back(microseconds_of(end - begin - busy));
  }
  engine.join();
  print_percentiles("wake_us", once);
  print_percentiles("wake_and_back_us", twice);
}

// The engine has a core of its own, as it would on a GPU; the others prepare.
void offline(int requests, microseconds looks, int threads) {
  World world(16, threads, looks);
  const Time begin = Clock::now();
  for (int i = 0; i < requests; ++i) {
    const auto request = std::make_shared<Request>();
    while (world.pipeline->submit(request) == Submitted::kFull) {
      world.pipeline->wait_for_room(0, Clock::now() + std::chrono::seconds(10));
    }
  }
  world.pipeline->close(Closing::kDrain);
  const auto wall = static_cast<double>((Clock::now() - begin).count());
  const LaneCounts counts = world.pipeline->snapshot(0).counts;
  print_percentiles("engine_waits_us", world.calls->waited);
  std::printf(
      R"("threads": %d, "engine_busy_share": %.4f, "rows_a_batch": %.2f, "requests_per_second": %.0f)",
      threads, static_cast<double>(world.pipeline->engine_nanoseconds()) / wall,
      static_cast<double>(counts.rows) / static_cast<double>(counts.batches), requests / wall * 1e9);
}

}  // namespace

int main(int argc, char** argv) {
  const int requests = argc > 1 ? std::max(std::atoi(argv[1]), 100) : 2000;
  const microseconds looks(argc > 2 ? std::atoi(argv[2]) : 0);
  std::printf("{");
  floor_of_waking(requests);
  latency(requests, looks);
  offline(requests * 8, looks,
          argc > 3 ? std::atoi(argv[3])
                   : static_cast<int>(std::max(2U, std::thread::hardware_concurrency())) - 1);
  std::printf("}\n");
  return 0;
}
