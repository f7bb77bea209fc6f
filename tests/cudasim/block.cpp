// Runs one block of threads: each is a fiber, and they take turns.
#include "tests/cudasim/block.h"

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "tests/cudasim/failure.h"

uint3 threadIdx;

namespace bindrt::cudasim {
namespace {

Block* current = nullptr;  // for the entry of a fiber, which takes no argument

// Fibers that no launch uses. Their stacks stay for the life of the process.
std::vector<std::unique_ptr<Fiber>>& pool() {
  static auto& fibers = *new std::vector<std::unique_ptr<Fiber>>();
  return fibers;
}

Fiber* take_fiber() {
  if (pool().empty()) {
    return new Fiber();
  }
  Fiber* const fiber = pool().back().release();
  pool().pop_back();
  return fiber;
}

}  // namespace

Block::Block(const Kernel& kernel, const kernels::LaunchShape& shape, const void* params, Random& random)
    : kernel_(kernel), params_(params), random_(random) {
  threads_.resize(std::size_t{shape.block_x} * shape.block_y * shape.block_z);
  std::size_t number = 0;
  for (unsigned z = 0; z < shape.block_z; ++z) {
    for (unsigned y = 0; y < shape.block_y; ++y) {
      for (unsigned x = 0; x < shape.block_x; ++x) {
        threads_[number++].index = {x, y, z};
      }
    }
  }
  warps_.resize((threads_.size() + kLanes - 1) / kLanes);
  order_.resize(threads_.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (options().order == Order::kReverse) {
    std::reverse(order_.begin(), order_.end());
  }
}

Block::~Block() {
  for (Fiber* const fiber : fibers_) {
    pool().emplace_back(fiber);
  }
}

void Block::run(std::uint32_t number) {
  number_ = number;
  for (Thread& thread : threads_) {
    thread.state = State::kNotStarted;
  }
  for (Warp& warp : warps_) {
    warp = Warp{};
  }
  if (const unsigned last = static_cast<unsigned>(threads_.size() % kLanes); last != 0) {
    warps_.back().done = ~0U << last;
  }
  at_barrier_ = done_ = 0;
  barriers_ = 0;
  current = this;
  while (done_ < threads_.size()) {
    run_pass();
  }
}

// Each thread that can run does so once, until it waits or returns. A random pass leaves some out, so that
// others get ahead of them.
void Block::run_pass() {
  if (options().order == Order::kRandom) {
    for (std::size_t place = order_.size(); place > 1; --place) {
      std::swap(order_[place - 1], order_[random_.below(static_cast<std::uint32_t>(place))]);
    }
  }
  bool could_run = false;
  for (next_ = 0; next_ < order_.size();) {
    Thread& thread = threads_[order_[next_]];
    if (thread.state != State::kNotStarted && thread.state != State::kReady) {
      ++next_;
      continue;
    }
    could_run = true;
    if (passed_over()) {
      ++next_;
    } else if (thread.state == State::kNotStarted) {
      start_from_here();
    } else {
      ++next_;
      running_ = &thread;
      continue_on(*thread.fiber);
    }
  }
  if (!could_run) {
    throw Failure(std::string(kernel_.name) + ": " + stuck());
  }
}

bool Block::passed_over() { return options().order == Order::kRandom && random_.below(4) == 0; }

// A fiber for the threads from the next in the order on, as long as they have not started and do not wait.
void Block::start_from_here() {
  if (idle_.empty()) {
    fibers_.push_back(take_fiber());
    fibers_.back()->prepare(&Block::worker_entry);
    idle_.push_back(fibers_.back());
  }
  Fiber& fiber = *idle_.back();
  idle_.pop_back();
  continue_on(fiber);
}

void Block::continue_on(Fiber& fiber) {
  if (running_ != nullptr) {
    running_->state = State::kRunning;
    threadIdx = running_->index;
  }
  fiber_ = &fiber;
  launcher_.switch_to(fiber);
  fiber_ = nullptr;
  running_ = nullptr;
  if (!failure_.empty()) {
    throw Failure(std::string(kernel_.name) + ": " + failure_);
  }
}

void Block::worker_entry() {
  Fiber::entered(current->launcher_);
  current->work();
}

// What a fiber does: one thread after the other, without a switch between those that never wait.
void Block::work() {
  Fiber& mine = *fiber_;
  for (;;) {
    while (next_ < order_.size() && threads_[order_[next_]].state == State::kNotStarted) {
      Thread& thread = threads_[order_[next_++]];
      running_ = &thread;
      thread.state = State::kRunning;
      threadIdx = thread.index;
      kernel_.call(params_);
      leave(thread);
    }
    idle_.push_back(&mine);
    mine.switch_to(launcher_);
  }
}

// The running thread returned.
void Block::leave(Thread& thread) {
  thread.state = State::kDone;
  running_ = nullptr;
  ++done_;
  Warp& warp = warps_[number_of(thread) / kLanes];
  const std::size_t lane = number_of(thread) % kLanes;
  warp.done |= 1U << lane;
  // others may have waited for this lane alone; their masks can differ
  for (unsigned other = 0; other < kLanes && warp.waiting != 0; ++other) {
    if ((warp.waiting >> other & 1U) != 0) {
      const std::size_t first = number_of(thread) - lane;
      try_meeting(first / kLanes, threads_[first + other].arrival.mask);
    }
  }
}

void Block::wait(State state) {
  Thread& thread = *running_;
  thread.state = state;
  thread.fiber = fiber_;
  thread.fiber->switch_to(launcher_);
}

void Block::wake(Thread& thread) { thread.state = &thread == running_ ? State::kRunning : State::kReady; }

void Block::interrupt() { wait(State::kReady); }

int Block::barrier(BlockOp op, int value, const Where& where) {
  Thread& thread = *running_;
  thread.where = where;
  thread.block_op = op;
  thread.block_value = value;
  thread.state = State::kAtBarrier;
  if (++at_barrier_ == threads_.size()) {
    release_barrier();
  } else {
    wait(State::kAtBarrier);
  }
  return thread.block_value;
}

// All threads are at a barrier: it must be the same one.
void Block::release_barrier() {
  const Thread& one = threads_.front();
  int count = 0;
  for (const Thread& other : threads_) {
    if (other.block_op != one.block_op || other.where.line() != one.where.line()) {
      std::string message = "divergent barrier: " + name(one) + " waits at " + text(one.where) + ", " +
                            name(other) + " at " + text(other.where);
      fail(std::move(message));
    }
    count += other.block_value != 0 ? 1 : 0;
  }
  const bool all = count == static_cast<int>(threads_.size());
  const BlockOp op = one.block_op;
  for (Thread& thread : threads_) {
    thread.block_value = op == BlockOp::kAnd ? all : op == BlockOp::kOr ? count != 0 : count;
    wake(thread);
  }
  at_barrier_ = 0;
  ++barriers_;
}

std::uint64_t Block::meet(const Arrival& arrival) {
  Thread& thread = *running_;
  const std::size_t warp = number_of(thread) / kLanes;
  const unsigned lane = 1U << (number_of(thread) % kLanes);
  thread.arrival = arrival;
  thread.where = arrival.where;
  if ((arrival.mask & lane) == 0) {
    std::string message = name(thread) + " is not in its own mask at " + text(arrival.where);
    fail(std::move(message));
  }
  thread.state = State::kAtMeeting;
  warps_[warp].waiting |= lane;
  try_meeting(warp, arrival.mask);
  if (thread.state == State::kAtMeeting) {
    wait(State::kAtMeeting);
  }
  return thread.arrival.result;
}

// Completes the meeting of `mask` if all of its lanes have come or returned.
void Block::try_meeting(std::size_t index, unsigned mask) {
  Warp& warp = warps_[index];
  const unsigned present = warp.waiting & mask;
  if (present == 0 || ((present | warp.done) & mask) != mask) {
    return;
  }
  Arrivals lanes{};
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if ((present >> lane & 1U) != 0) {
      lanes[lane] = &threads_[index * kLanes + lane].arrival;
    }
  }
  if (std::string wrong = complete(lanes, present); !wrong.empty()) {
    fail(std::move(wrong));
  }
  // Shuffles and votes order no memory accesses: CUDA promises that for __syncwarp only.
  if (lanes[static_cast<unsigned>(std::countr_zero(present))]->op == WarpOp::kSync) {
    ++warp.syncs;
  }
  warp.waiting &= ~present;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if ((present >> lane & 1U) != 0) {
      wake(threads_[index * kLanes + lane]);
    }
  }
}

void Block::fail(std::string message) {
  failure_ = std::move(message);
  fiber_->switch_to(launcher_);
  std::terminate();  // nobody goes on with a fiber after a failure
}

Moment Block::moment() const {
  const std::size_t number = number_of(*running_);
  const auto size = static_cast<std::uint32_t>(threads_.size());
  return {number_ * size + static_cast<std::uint32_t>(number), barriers_, warps_[number / kLanes].syncs,
          size};
}

unsigned Block::lanes_running() const { return 1U << (number_of(*running_) % kLanes); }

std::string Block::name(const Thread& thread) const {
  return "thread (" + std::to_string(thread.index.x) + "," + std::to_string(thread.index.y) + "," +
         std::to_string(thread.index.z) + ")";
}

// Nobody can run: where the threads wait.
std::string Block::stuck() const {
  std::map<std::string, std::pair<std::string, std::size_t>> places;  // who waits there first, and how many
  for (const Thread& thread : threads_) {
    std::string place = "returned";
    if (thread.state == State::kAtBarrier) {
      place = "at the barrier in " + text(thread.where);
    } else if (thread.state == State::kAtMeeting) {
      place = std::string("at ") + name_of(thread.arrival.op) + " in " + text(thread.where);
    }
    auto& [first, count] = places.try_emplace(place, name(thread), 0).first->second;
    ++count;
  }
  std::string message = done_ != 0 && done_ + at_barrier_ == threads_.size()
                            ? "a barrier after some threads returned:"
                            : "deadlock:";
  for (const auto& [place, who] : places) {
    message += " " + std::to_string(who.second) + " threads " + place + " (first: " + who.first + ");";
  }
  message.pop_back();
  return message;
}

}  // namespace bindrt::cudasim
