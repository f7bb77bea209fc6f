// How many cores this process may use. All threads that bindrt starts, and those that it lets libraries
// start, are counted by this.
#pragma once

#include <string>

namespace bindrt::native {

// Cores of the affinity, within the quotas of the process's control groups (version 2 and 1, its own and
// those above it) and within limit_cores(). A quota may be a part of a core. `root` is put before the paths
// of /proc and /sys, for tests.
double usable_cores(const std::string& root = "");

// Threads that keep these cores busy: a part of a core counts as one; at least 1.
int usable_threads(const std::string& root = "");

// Use at most so many cores, whatever the system allows; 0: no limit. Threads that run already stay.
void limit_cores(double most) noexcept;

// Cores of the affinity; those that share their units ("hyper-threads") count as one. At least 1.
int physical_cores(const std::string& root = "");

}  // namespace bindrt::native
