// Reads the affinity and the control group's quota.
#include "csrc/native/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

namespace bindrt::native {
namespace {

int cores_of_affinity() noexcept {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  // It fails on a machine with more cores than the set has.
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return CPU_COUNT(&set);
  }
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

// Cores that the quota is worth; 0 if there is none.
double quota() noexcept {
  std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "re");
  if (file == nullptr) {
    return 0;
  }
  double each = 0;
  double period = 0;
  const bool given = std::fscanf(file, "%lf %lf", &each, &period) == 2;  // without one: "max 100000"
  std::fclose(file);
  return given && each > 0 && period > 0 ? each / period : 0;
}

}  // namespace

int usable_cores() noexcept {
  const int cores = std::max(cores_of_affinity(), 1);
  const double most = quota();
  return most > 0 && most < cores ? static_cast<int>(std::ceil(most)) : cores;
}

}  // namespace bindrt::native
