// Runs a kernel's threads, one after the other on one thread of the system, in the order of the options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/base/gpu.h"
#include "tests/cudasim/registry.h"

namespace bindrt::cudasim {

// Runs all blocks of the launch to the end. Failure says what is wrong with the launch or the kernel.
// Any thread may call it; one launch runs at a time.
void run_launch(const Kernel& kernel, const kernels::LaunchShape& shape, const void* params);

// The thread of a kernel that runs, for the race check.
struct Moment {
  std::uint32_t thread;         // in the whole grid; blocks one after the other
  std::uint32_t barriers;       // that its block has passed
  std::uint32_t warp_syncs;     // that its warp has passed
  std::uint32_t block_threads;  // a block's number of threads
};

bool in_kernel();  // is a kernel's thread running?
Moment moment();
bool on_own_stack(const void* address);
std::string thread_name(std::uint32_t thread,
                        std::uint32_t block_threads);  // "thread (3,0,0) of block (0,1,0)"

// Lets other threads run, at a place where the kernel did not ask for it.
void interrupt();

// Ends the launch with a Failure. Called by a kernel's thread, which never goes on: what its functions hold
// at that time is lost. So make the message in a statement of its own, and move it.
[[noreturn]] void fail(std::string message);

}  // namespace bindrt::cudasim
