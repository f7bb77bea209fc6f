// How often the interpreter's lock is found taken at random times, for `bench cores`. Compiled by
// bench/cores/lock.py when it is needed, and loaded into the process that is measured.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>

// Python.h is not needed for these two, and not installed everywhere.
extern "C" {
struct PyThreadState;
PyThreadState* PyEval_SaveThread();
void PyEval_RestoreThread(PyThreadState* state);
}

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// Whether a try found the lock taken: the thread slept until it was free. Where the system does not tell, by
// the time, which also counts tries that are slow because a kernel has used the caches.
#if defined(RUSAGE_THREAD)
std::int64_t sleeps() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  return used.ru_nvcsw;
}
bool was_taken(std::int64_t slept, Seconds) { return slept > 0; }
#else
std::int64_t sleeps() { return 0; }
bool was_taken(std::int64_t, Seconds took) { return took > Seconds(5e-6); }
#endif

void spin_until(Clock::time_point end) {
  while (Clock::now() < end) {
  }
}

struct Samples {
  std::int64_t all;
  std::int64_t taken;
  double waited;  // seconds, for those that were taken
};

}  // namespace

// Tries the lock again and again, after random times of `mean` seconds (an exponential distribution), until
// `stop` is not 0. Is called with the lock held.
extern "C" void bindrt_bench_sample_lock(double mean, const std::atomic<int>* stop, Samples* samples) {
  std::mt19937_64 random(1);
  std::exponential_distribution<double> wait(1 / mean);
  PyThreadState* state = PyEval_SaveThread();
  while (stop->load(std::memory_order_relaxed) == 0) {
    spin_until(Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(wait(random))));
    const std::int64_t before = sleeps();
    const auto begin = Clock::now();
    PyEval_RestoreThread(state);
    const Seconds took = Clock::now() - begin;
    state = PyEval_SaveThread();
    ++samples->all;
    if (was_taken(sleeps() - before, took)) {
      ++samples->taken;
      samples->waited += took.count();
    }
  }
  PyEval_RestoreThread(state);
}

// Computes for a known time; the caller decides whether it holds the lock.
extern "C" void bindrt_bench_spin(double seconds) {
  spin_until(Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(seconds)));
}
