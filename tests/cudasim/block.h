// The threads of the block that runs: which can run, and what the others wait for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/base/gpu.h"
#include "tests/cudasim/fiber.h"
#include "tests/cudasim/meeting.h"
#include "tests/cudasim/options.h"
#include "tests/cudasim/scheduler.h"
#include "tests/cudasim/vector_types.h"

namespace bindrt::cudasim {

enum class State { kNotStarted, kReady, kRunning, kAtBarrier, kAtMeeting, kDone };

struct Thread {
  uint3 index{};
  State state = State::kNotStarted;
  Fiber* fiber = nullptr;  // while it waits
  Where where;             // it waits at
  BlockOp block_op = BlockOp::kSync;
  int block_value = 0;  // brought to a barrier, then what the barrier gives
  Arrival arrival;
};

struct Warp {
  unsigned waiting = 0;  // lanes at a meeting
  unsigned done = 0;     // lanes that returned, or that the block does not have
  std::uint32_t syncs = 0;
};

// A block of a launch. Threads run on fibers; `launcher` is the flow that calls run().
class Block {
 public:
  Block(const Kernel& kernel, const kernels::LaunchShape& shape, const void* params, Random& random);

  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Runs all threads to their end. Throws Failure.
  void run(std::uint32_t number);

  // For the thread that runs.
  int barrier(BlockOp op, int value, const Where& where);
  std::uint64_t meet(const Arrival& arrival);
  void interrupt();
  [[noreturn]] void fail(std::string message);  // see scheduler.h
  Moment moment() const;
  Thread* running() const { return running_; }
  Fiber* fiber() const { return fiber_; }
  unsigned lanes_running() const;

 private:
  static void worker_entry();
  void work();
  void start_from_here();
  void run_pass();
  void continue_on(Fiber& fiber);
  void wait(State state);
  void wake(Thread& thread);
  void release_barrier();
  void try_meeting(std::size_t warp, unsigned mask);
  void leave(Thread& thread);
  void set_order();
  bool passed_over();
  std::string stuck() const;
  std::string name(const Thread& thread) const;
  std::size_t number_of(const Thread& thread) const {
    return static_cast<std::size_t>(&thread - threads_.data());
  }

  const Kernel& kernel_;
  const void* params_;
  Random& random_;
  std::uint32_t number_ = 0;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<std::size_t> order_;
  std::size_t next_ = 0;  // place in the order
  std::size_t at_barrier_ = 0;
  std::size_t done_ = 0;
  std::uint32_t barriers_ = 0;
  Thread* running_ = nullptr;
  Fiber launcher_;
  Fiber* fiber_ = nullptr;      // that runs; null: the launcher
  std::vector<Fiber*> fibers_;  // taken from the pool
  std::vector<Fiber*> idle_;    // of them, those that have no thread
  std::string failure_;
};

}  // namespace bindrt::cudasim
