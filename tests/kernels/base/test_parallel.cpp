// Loops shared out over threads, also inside each other and after a fork.
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/base/parallel.h"
#include "tests/cpp/check.h"

using bindrt::kernels::parallel_for;

namespace {

void every_index_once(std::int64_t count, std::int64_t grain, int threads) {
  std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
  parallel_for(count, grain, threads, [&seen](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      seen[static_cast<std::size_t>(i)].fetch_add(1);
    }
  });
  for (const auto& times : seen) {
    CHECK(times.load() == 1);
  }
}

void loops_of_several_callers() {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([] {
      for (int i = 0; i < 200; ++i) {
        every_index_once(37, 3, 3);
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
}

void a_loop_inside_a_loop() {
  std::atomic<int> total{0};
  parallel_for(8, 1, 4, [&total](std::int64_t, std::int64_t) {
    parallel_for(8, 1, 4, [&total](std::int64_t begin, std::int64_t end) {
      total.fetch_add(static_cast<int>(end - begin));
    });
  });
  CHECK(total.load() == 64);
}

void levels() {
  using namespace bindrt::kernels;
  const CpuLevel best = cpu_level();
  CHECK(limit_cpu_level(CpuLevel::kBaseline) == CpuLevel::kBaseline);
  CHECK(choose(1, 2, 3) == 1);
  CHECK(limit_cpu_level(CpuLevel::kAvx512) == best);
  CHECK(choose(0, 1, 2) == static_cast<int>(best));
}

}  // namespace

int main() {
  for (const std::int64_t count : {0, 1, 2, 7, 100, 1000}) {
    for (const int threads : {-1, 0, 1, 2, 5, 1000}) {
      every_index_once(count, 1, threads);
      every_index_once(count, 16, threads);
      every_index_once(count, 5000, threads);
    }
  }
  loops_of_several_callers();
  a_loop_inside_a_loop();
  levels();
  return bindrt::testing::finish();
}
