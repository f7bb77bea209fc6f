// Waiting for another thread: a short while awake, since waking up takes longer than most waits, then asleep.
#pragma once

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace bindrt::native {

// Tells the processor that this is a wait, so that it gives way to the other thread of its core.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// How long a wait is awake: first it keeps its core, then it offers it to others at every look.
struct Patience {
  std::chrono::microseconds keeping;
  std::chrono::microseconds offering;
};

// Whether `ready` came true in the time that a wait is awake.
template <class Ready>
bool came_soon(const Patience& patience, const Ready& ready) {
  using Clock = std::chrono::steady_clock;
  constexpr int kLooks = 16;
  const auto start = Clock::now();
  auto waited = Clock::duration::zero();
  do {
    for (int i = 0; i < kLooks; ++i) {
      if (ready()) {
        return true;
      }
      relax();
    }
    if (waited >= patience.keeping) {
      sched_yield();
    }
    waited = Clock::now() - start;
  } while (waited < patience.keeping + patience.offering);
  return ready();
}

// A bell for threads that sleep until something has come true.
class Bell {
 public:
  // `ready` reads with sequential consistency what the others write so.
  template <class Ready>
  void sleep_until(const Ready& ready) noexcept {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    for (;;) {
      const std::uint32_t heard = rings_.load(std::memory_order_seq_cst);
      if (ready()) {
        break;
      }
      rings_.wait(heard, std::memory_order_seq_cst);
    }
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

  // After a change: whoever is not counted as a sleeper has not looked yet, and will see it.
  void ring() noexcept {
    if (sleepers() > 0) {
      rings_.fetch_add(1, std::memory_order_seq_cst);
      rings_.notify_all();
    }
  }

  void ring_one() noexcept {
    if (sleepers() > 0) {
      rings_.fetch_add(1, std::memory_order_seq_cst);
      rings_.notify_one();
    }
  }

  int sleepers() const noexcept { return sleepers_.load(std::memory_order_seq_cst); }

 private:
  std::atomic<std::uint32_t> rings_{0};
  std::atomic<std::int32_t> sleepers_{0};
};

}  // namespace bindrt::native
