// The least a test needs: CHECK, CHECK_NEAR, and a summary that tests/cpp/test_cpp.py reads.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdio>

namespace bindrt::testing {

struct Tally {
  std::atomic<int> checks{0};  // atomic: checks run in several threads
  std::atomic<int> failures{0};
};

inline Tally& tally() {
  static Tally instance;
  return instance;
}

inline void check(bool good, const char* text, const char* file, int line) {
  tally().checks.fetch_add(1);
  if (!good) {
    tally().failures.fetch_add(1);
    std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, text);
  }
}

inline void check_near(double got, double want, double tolerance, const char* text, const char* file,
                       int line) {
  const bool good = std::fabs(got - want) <= tolerance;  // false for NaN
  if (!good) {
    std::fprintf(stderr, "%s:%d: got %.9g, want %.9g within %.3g\n", file, line, got, want, tolerance);
  }
  check(good, text, file, line);
}

// Prints the summary; what main returns.
inline int finish() {
  std::printf("%d checks, %d failed\n", tally().checks.load(), tally().failures.load());
  return tally().checks.load() > 0 && tally().failures.load() == 0 ? 0 : 1;
}

}  // namespace bindrt::testing

#define CHECK(condition) ::bindrt::testing::check((condition), #condition, __FILE__, __LINE__)
#define CHECK_NEAR(got, want, tolerance) \
  ::bindrt::testing::check_near((got), (want), (tolerance), #got, __FILE__, __LINE__)
