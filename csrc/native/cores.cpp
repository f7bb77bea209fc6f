// Reads the affinity and the control groups' quotas.
#include "csrc/native/cores.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <set>
#include <string_view>
#include <thread>
#include <vector>

namespace bindrt::native {
namespace {

// The most numbers that a core may have here; Linux is built for 8192 at most.
constexpr int kMostCores = 8192;

std::atomic<double> limit{0};

// The numbers of the cores that the system lets this process use; empty where it does not say.
std::vector<int> affinity() {
  std::vector<int> found;
#if defined(__linux__)
  cpu_set_t* const set = CPU_ALLOC(kMostCores);  // a cpu_set_t has only 1024
  const std::size_t size = CPU_ALLOC_SIZE(kMostCores);
  if (set != nullptr && sched_getaffinity(0, size, set) == 0) {
    for (int core = 0; core < kMostCores; ++core) {
      if (CPU_ISSET_S(static_cast<std::size_t>(core), size, set)) {
        found.push_back(core);
      }
    }
  }
  CPU_FREE(set);
#endif
  return found;
}

int count_of(const std::vector<int>& cores) {
  return cores.empty() ? std::max(static_cast<int>(std::thread::hardware_concurrency()), 1)
                       : static_cast<int>(cores.size());
}

// Cores that the quota of one group is worth; 0 if it has none.
double quota_of(const std::string& folder) {
  double each = 0;
  double period = 0;
  if (std::ifstream file(folder + "/cpu.max"); file >> each >> period) {  // without a quota: "max 100000"
    return each > 0 && period > 0 ? each / period : 0;
  }
  std::ifstream quota(folder + "/cpu.cfs_quota_us");  // version 1; without a quota: -1
  std::ifstream length(folder + "/cpu.cfs_period_us");
  if (quota >> each && length >> period && each > 0 && period > 0) {
    return each / period;
  }
  return 0;
}

// The least quota of a group and of those above it; 0 if none has one.
double least_quota(const std::string& mount, std::string group) {
  double least = 0;
  for (;;) {
    const double quota = quota_of(mount + group);
    if (quota > 0 && (least == 0 || quota < least)) {
      least = quota;
    }
    if (group.empty()) {
      return least;
    }
    group.resize(std::min(group.rfind('/'), group.size()));
  }
}

bool lists_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "cpu") {
      return true;
    }
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

// Lines of /proc/self/cgroup are "number:controllers:group"; version 2 has the number 0 and no controllers.
// In a container the group is often that of the host, and its folder not there: then that of the root counts.
double quota(const std::string& root) {
  double least = 0;
  const auto count = [&](const std::string& mount, const std::string& group) {
    const double found = least_quota(root + mount, group);
    least = found > 0 && (least == 0 || found < least) ? found : least;
  };
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (group == "/" || group.find("/..") != std::string::npos) {  // outside of what is mounted
      group.clear();
    }
    if (controllers.empty()) {
      count("/sys/fs/cgroup", group);
    } else if (lists_cpu(controllers)) {
      count("/sys/fs/cgroup/cpu", group);
      count("/sys/fs/cgroup/" + controllers, group);
    }
  }
  count("/sys/fs/cgroup", "");
  return least;
}

}  // namespace

double usable_cores(const std::string& root) {
  double cores = count_of(affinity());
  for (const double most : {quota(root), limit.load(std::memory_order_relaxed)}) {
    cores = most > 0 ? std::min(cores, most) : cores;
  }
  return cores;
}

int usable_threads(const std::string& root) {
  return std::max(static_cast<int>(std::ceil(usable_cores(root))), 1);
}

void limit_cores(double most) noexcept { limit.store(std::max(most, 0.0), std::memory_order_relaxed); }

int physical_cores(const std::string& root) {
  const std::vector<int> cores = affinity();
  std::set<std::string> different;
  for (const int core : cores) {
    std::ifstream file(root + "/sys/devices/system/cpu/cpu" + std::to_string(core) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    std::getline(file, siblings);
    different.insert(siblings.empty() ? std::to_string(core) : siblings);
  }
  return different.empty() ? count_of(cores) : static_cast<int>(different.size());
}

}  // namespace bindrt::native
