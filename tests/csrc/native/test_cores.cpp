// How many cores: affinity, and the quotas of made-up control groups.
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "csrc/native/cores.h"
#include "tests/cpp/check.h"

namespace bindrt::native {
namespace {

// A folder with the files of /proc and /sys that are asked.
class System {
 public:
  System() {
    std::string name = (std::filesystem::temp_directory_path() / "bindrt-cores-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  System(const System&) = delete;
  System& operator=(const System&) = delete;
  ~System() { std::filesystem::remove_all(root_); }

  System& with(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return *this;
  }
  double cores() const { return usable_cores(root_); }
  int threads() const { return usable_threads(root_); }
  int physical() const { return physical_cores(root_); }

 private:
  std::string root_;
};

double all() { return usable_cores("/there/is/no/such/folder"); }

void test_without_quota_all_of_the_affinity() {
  CHECK(all() >= 1);
  CHECK(System().with("/sys/fs/cgroup/cpu.max", "max 100000\n").cores() == all());
  CHECK(System().with("/sys/fs/cgroup/cpu.max", "not a number\n").cores() == all());
  System first;
  first.with("/proc/self/cgroup", "4:cpu,cpuacct:/\n");
  first.with("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
      .with("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(first.cores() == all());
}

void test_version_2() {
  System root;  // in a container that sees its own groups only
  root.with("/proc/self/cgroup", "0::/\n").with("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  CHECK(root.cores() == 0.5);
  CHECK(root.threads() == 1);
  System bare;  // no /proc
  bare.with("/sys/fs/cgroup/cpu.max", "25000 100000\n");
  CHECK(bare.cores() == 0.25);
  System above;  // a service: the slice above it has the quota
  above.with("/proc/self/cgroup", "0::/a.slice/b.service\n");
  above.with("/sys/fs/cgroup/a.slice/cpu.max", "30000 100000\n");
  above.with("/sys/fs/cgroup/a.slice/b.service/cpu.max", "max 100000\n");
  CHECK(above.cores() == 0.3);
  above.with("/sys/fs/cgroup/a.slice/b.service/cpu.max", "10000 100000\n");
  CHECK(above.cores() == 0.1);
  System outside;  // a group that is not below what is mounted
  outside.with("/proc/self/cgroup", "0::/../other\n").with("/sys/fs/cgroup/cpu.max", "40000 100000\n");
  CHECK(outside.cores() == 0.4);
}

void test_version_1() {
  for (const char* const folder : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
    System system;
    system.with("/proc/self/cgroup", "9:cpuset:/\n4:cpu,cpuacct:/docker/1\n0::/\n");
    system.with(std::string(folder) + "/docker/1/cpu.cfs_quota_us", "20000\n");
    system.with(std::string(folder) + "/docker/1/cpu.cfs_period_us", "100000\n");
    CHECK(system.cores() == 0.2);
  }
  System container;  // the group's name is the host's, its files are at the root
  container.with("/proc/self/cgroup", "4:cpuacct,cpu:/docker/1\nnonsense\n");
  container.with("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "60000\n");
  container.with("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(container.cores() == 0.6);
  System other;  // not the controller of processor time
  other.with("/proc/self/cgroup", "4:cpuset:/x\n");
  other.with("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "60000\n");
  other.with("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  CHECK(other.cores() == all());
}

void test_a_part_of_a_core_is_a_thread() {
  System system;
  system.with("/sys/fs/cgroup/cpu.max", "110000 100000\n");
  CHECK(system.threads() == (all() < 2 ? 1 : 2));
}

void test_a_limit_of_our_own() {
  limit_cores(0.75);
  CHECK(all() == 0.75);
  limit_cores(1e6);
  const double unlimited = all();
  limit_cores(0);
  CHECK(all() == unlimited);
}

void test_cores_that_share_their_units_count_once() {
  System system;
  CHECK(system.physical() == static_cast<int>(all()));  // nothing is known of them
  for (int core = 0; core < 1024; ++core) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(core) + "/topology";
    system.with(folder + "/thread_siblings_list", "0-1023\n");
  }
  CHECK(system.physical() == 1);
}

#if defined(__linux__)
void test_affinity() {
  cpu_set_t before, one;
  CHECK(sched_getaffinity(0, sizeof(before), &before) == 0);
  CPU_ZERO(&one);
  for (int core = 0; CPU_COUNT(&one) == 0; ++core) {
    if (CPU_ISSET(core, &before)) {
      CPU_SET(core, &one);
    }
  }
  CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
  CHECK(all() == 1);
  CHECK(physical_cores() == 1);
  CHECK(sched_setaffinity(0, sizeof(before), &before) == 0);
  CHECK(all() == CPU_COUNT(&before));
}
#endif

}  // namespace
}  // namespace bindrt::native

int main() {
  bindrt::native::test_without_quota_all_of_the_affinity();
  bindrt::native::test_version_2();
  bindrt::native::test_version_1();
  bindrt::native::test_a_part_of_a_core_is_a_thread();
  bindrt::native::test_a_limit_of_our_own();
  bindrt::native::test_cores_that_share_their_units_count_once();
#if defined(__linux__)
  bindrt::native::test_affinity();
#endif
  return bindrt::testing::finish();
}
