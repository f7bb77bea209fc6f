// Runs the blocks of a launch, in the order that the options ask for.
#include "tests/cudasim/scheduler.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>

#include "tests/cudasim/atomics.h"
#include "tests/cudasim/block.h"
#include "tests/cudasim/failure.h"
#include "tests/cudasim/race.h"
#include "tests/cudasim/shared_memory.h"

uint3 blockIdx;
uint3 blockDim;
uint3 gridDim;

namespace bindrt::cudasim {
namespace {

// The launch that runs; `launch_mutex` is held meanwhile.
std::mutex launch_mutex;
Block* running_block = nullptr;
SharedMemory* running_shared = nullptr;
std::uint64_t launches = 0;

struct Running {
  Running(Block& block, SharedMemory& shared) {
    running_block = &block;
    running_shared = &shared;
  }
  ~Running() {
    running_block = nullptr;
    running_shared = nullptr;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
};

// The limits of every device since compute capability 7.5, without the opt-in for more shared memory.
void check_shape(const Kernel& kernel, const kernels::LaunchShape& shape) {
  const auto within = [&](std::uint32_t value, std::uint32_t most, const char* what) {
    if (value < 1 || value > most) {
      throw Failure(std::string(kernel.name) + ": " + what + " is " + std::to_string(value) +
                    ", must be 1 to " + std::to_string(most));
    }
  };
  within(shape.grid_x, 0x7FFFFFFF, "grid_x");
  within(shape.grid_y, 65535, "grid_y");
  within(shape.grid_z, 65535, "grid_z");
  within(shape.block_x, 1024, "block_x");
  within(shape.block_y, 1024, "block_y");
  within(shape.block_z, 64, "block_z");
  within(shape.block_x * shape.block_y * shape.block_z, 1024, "the number of a block's threads");
  if (shape.shared_bytes > 48U * 1024U) {
    throw Failure(std::string(kernel.name) +
                  ": more than 48 KiB of shared memory: " + std::to_string(shape.shared_bytes));
  }
}

std::vector<std::uint32_t> block_order(std::uint64_t count, Random& random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  if (options().order == Order::kReverse) {
    std::reverse(order.begin(), order.end());
  } else if (options().order == Order::kRandom) {
    for (std::size_t place = order.size(); place > 1; --place) {
      std::swap(order[place - 1], order[random.below(static_cast<std::uint32_t>(place))]);
    }
  }
  return order;
}

}  // namespace

void run_launch(const Kernel& kernel, const kernels::LaunchShape& shape, const void* params) {
  check_shape(kernel, shape);
  const std::uint64_t threads = std::uint64_t{shape.block_x} * shape.block_y * shape.block_z * shape.grid_x *
                                shape.grid_y * shape.grid_z;
  if (threads > 0xFFFFFFFFU) {
    throw Failure(std::string(kernel.name) + ": too many threads for the simulator");
  }
  const std::lock_guard lock(launch_mutex);
  Random random(options().seed + ++launches);
  // The kernel gets a copy, as on the device; static, so that the race check knows it for the program's.
  alignas(16) static unsigned char copy[4096];
  std::memcpy(copy, params, kernel.params_bytes);
  SharedMemory shared(shape.shared_bytes);
  Block block(kernel, shape, copy, random);
  const Running running(block, shared);
  race::begin_launch();
  blockDim = {shape.block_x, shape.block_y, shape.block_z};
  gridDim = {shape.grid_x, shape.grid_y, shape.grid_z};
  for (const std::uint32_t number :
       block_order(std::uint64_t{shape.grid_x} * shape.grid_y * shape.grid_z, random)) {
    blockIdx = {number % shape.grid_x, number / shape.grid_x % shape.grid_y,
                number / shape.grid_x / shape.grid_y};
    shared.begin_block(options().poison);
    block.run(number);
  }
}

bool in_kernel() { return running_block != nullptr && running_block->running() != nullptr; }
Moment moment() { return running_block->moment(); }
void interrupt() { running_block->interrupt(); }
void fail(std::string message) { running_block->fail(std::move(message)); }
bool on_own_stack(const void* address) { return running_block->fiber()->on_stack(address); }

std::string thread_name(std::uint32_t thread, std::uint32_t block_threads) {
  const std::uint32_t block = thread / block_threads;
  const std::uint32_t place = thread % block_threads;
  const auto index = [](std::uint32_t number, const uint3& size) {
    return "(" + std::to_string(number % size.x) + "," + std::to_string(number / size.x % size.y) + "," +
           std::to_string(number / size.x / size.y) + ")";
  };
  return "thread " + index(place, blockDim) + " of block " + index(block, gridDim);
}

// What the kernels call (warp.h, atomics.h).

void* dynamic_shared() {
  if (running_shared->dynamic() == nullptr) {
    fail("a kernel with dynamic shared memory, launched without any");
  }
  return running_shared->dynamic();
}

int block_barrier(BlockOp op, int predicate, const Where& where) {
  return running_block->barrier(op, predicate, where);
}

std::uint64_t warp_meet(WarpOp op, unsigned mask, std::uint64_t value, int operand, int width,
                        const Where& where) {
  return running_block->meet({op, mask, value, operand, width, where, 0});
}

void trap(const Where& where) {
  std::string message = "__trap at " + text(where);
  fail(std::move(message));
}

unsigned lanes_running() { return running_block->lanes_running(); }

void atomic_access(const void* address, std::size_t bytes, const void* code, const Where& where) {
  if (reinterpret_cast<std::uintptr_t>(address) % bytes != 0) {
    std::string message = "misaligned atomic operation at " + text(where);
    fail(std::move(message));
  }
  race::access(address, bytes, true, true, code);
}

}  // namespace bindrt::cudasim
