// Threads that wait for loops and share them out.
#include "kernels/base/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace bindrt::kernels::detail {
namespace {

constexpr int kMostThreads = 64;

// Workers wait for a loop, take pieces of it from a shared counter, and wait again. They are never
// stopped: the process ends with them.
class Workers {
 public:
  // False if another loop has them.
  bool run(std::int64_t count, std::int64_t grain, int helpers, LoopBody body, void* context) noexcept {
    // No mutex: a loop inside a loop asks again on the same thread.
    if (owned_.exchange(true, std::memory_order_acquire)) {
      return false;
    }
    helpers = start(helpers);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      next_.store(0, std::memory_order_relaxed);
      count_ = count;
      grain_ = grain;
      body_ = body;
      context_ = context;
      open_ = helpers;
      busy_ = helpers;
      ++loop_;
    }
    wake_.notify_all();
    take_pieces();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      busy_ -= open_;  // whoever has not woken yet is not needed
      open_ = 0;
      done_.wait(lock, [this] { return busy_ == 0; });
    }
    owned_.store(false, std::memory_order_release);
    return true;
  }

 private:
  // How many workers there are after trying to have `wanted`.
  int start(int wanted) noexcept {
    wanted = std::min(wanted, kMostThreads - 1);
    while (started_ < wanted) {
      try {
        std::thread(&Workers::work, this).detach();
      } catch (const std::system_error&) {
        break;  // the system has no more threads; go on with those there are
      }
      ++started_;
    }
    return std::min(wanted, started_);
  }

  void take_pieces() noexcept {
    for (;;) {
      const std::int64_t begin = next_.fetch_add(grain_, std::memory_order_relaxed);
      if (begin >= count_) {
        return;
      }
      body_(context_, begin, std::min(begin + grain_, count_));
    }
  }

  void work() noexcept {
    std::uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this, seen] { return loop_ != seen && open_ > 0; });
      seen = loop_;
      --open_;
      lock.unlock();
      take_pieces();
      lock.lock();
      if (--busy_ == 0) {
        done_.notify_one();
      }
    }
  }

  std::atomic<bool> owned_{false};  // by the loop in progress
  std::mutex mutex_;                // guards what follows
  std::condition_variable wake_;
  std::condition_variable done_;
  std::atomic<std::int64_t> next_{0};
  std::int64_t count_ = 0;
  std::int64_t grain_ = 1;
  LoopBody body_ = nullptr;
  void* context_ = nullptr;
  std::uint64_t loop_ = 0;
  int open_ = 0;     // workers that may still join the loop
  int busy_ = 0;     // workers that have not finished it
  int started_ = 0;  // guarded by owned_
};

Workers* workers = nullptr;  // leaked: workers may outlive static destructors
std::once_flag made;

// A child process has none of the threads, and its locks may be held by them for ever.
void after_fork_in_child() noexcept { workers = new (std::nothrow) Workers; }

void make() {
  workers = new Workers;
  pthread_atfork(nullptr, nullptr, &after_fork_in_child);
}

}  // namespace

void parallel_loop(std::int64_t count, std::int64_t grain, int threads, LoopBody body,
                   void* context) noexcept {
  if (count <= 0) {
    return;
  }
  grain = std::max<std::int64_t>(grain, 1);
  const std::int64_t pieces = (count + grain - 1) / grain;
  const auto helpers = static_cast<int>(std::min<std::int64_t>(threads, pieces)) - 1;
  if (helpers > 0) {
    std::call_once(made, make);
    if (workers != nullptr && workers->run(count, grain, helpers, body, context)) {
      return;
    }
  }
  body(context, 0, count);
}

}  // namespace bindrt::kernels::detail
