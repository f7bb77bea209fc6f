// Keeps the calling thread busy, for Python's simulated engine: called through ctypes, which frees the
// interpreter as a real engine does. Returns how long it really took, in seconds.

#include <chrono>

extern "C" __attribute__((visibility("default"))) double bindrt_bench_busy(double seconds) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  std::chrono::duration<double> passed{0};
  while (passed.count() < seconds) {
    passed = Clock::now() - begin;
  }
  return passed.count();
}
