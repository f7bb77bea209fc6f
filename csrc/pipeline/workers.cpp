// Worker threads, and how they divide their time among sources.

#include "csrc/pipeline/workers.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

namespace bindrt::pipeline {
namespace {

// Threads beside those that compute: two groups of pictures that a device decodes together.
constexpr int kMostSpare = 32;

}  // namespace

std::shared_ptr<Workers> Workers::make(int threads) {
  return {new Workers(threads), [](Workers* workers) {
            if (workers->process_ == ::getpid()) {
              delete workers;
            }
          }};
}

Workers::Workers(int threads) : process_(::getpid()), size_(std::max(threads, 1)) {
  for (int i = 0; i < size_; ++i) {
    threads_.emplace_back(&Workers::loop, this);
  }
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void Workers::add(WorkSource* source) {
  const std::lock_guard lock(mutex_);
  sources_.push_back(std::make_shared<Listed>(Listed{source}));
}

void Workers::remove(WorkSource* source) {
  std::unique_lock lock(mutex_);
  const auto found = std::find_if(sources_.begin(), sources_.end(),
                                  [source](const auto& listed) { return listed->source == source; });
  if (found == sources_.end()) {
    return;
  }
  const std::shared_ptr<Listed> listed = *found;
  listed->removed = true;
  sources_.erase(found);
  left_.wait(lock, [&listed] { return listed->inside == 0; });
}

void Workers::notify() {
  {
    const std::lock_guard lock(mutex_);
    ++news_;
  }
  wake_.notify_one();
}

void Workers::lend(int cores) {
  const std::lock_guard lock(mutex_);
  lent_ += cores;
}

void Workers::take_back(int cores) {
  {
    const std::lock_guard lock(mutex_);
    lent_ -= cores;
    if (!refused_) {
      return;  // nobody waits for them
    }
    refused_ = false;
    ++news_;
  }
  wake_.notify_all();
}

bool Workers::may_begin() const noexcept { return working_ - waiting_ < std::max(size_ - lent_, 1); }

void Workers::begin_wait() {
  {
    const std::lock_guard lock(mutex_);
    ++waiting_;
    ++news_;
    const int spare = static_cast<int>(threads_.size()) - size_;
    if (spare < std::min(waiting_, kMostSpare)) {
      try {
        threads_.emplace_back(&Workers::loop, this);
      } catch (const std::exception&) {  // the others do the work
      }
    }
  }
  wake_.notify_one();
}

void Workers::end_wait() {
  const std::lock_guard lock(mutex_);
  --waiting_;
}

// Asks the sources: first those that fewest threads work for, among equals the one that has had least time.
bool Workers::work_once(std::unique_lock<std::mutex>& lock) {
  std::vector<std::shared_ptr<Listed>> order(sources_);
  if (!order.empty()) {
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(turn_++ % order.size()),
                order.end());
  }
  std::stable_sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
    return std::pair(a->inside, std::max(a->used, due_)) < std::pair(b->inside, std::max(b->used, due_));
  });
  for (const std::shared_ptr<Listed>& listed : order) {
    if (listed->removed) {
      continue;
    }
    const Clock::duration had = std::max(listed->used, due_);
    const bool begins = may_begin();
    ++listed->inside;
    working_ += begins ? 1 : 0;
    refused_ = refused_ || !begins;
    lock.unlock();
    const Time start = Clock::now();
    const bool worked = begins ? listed->source->work() : listed->source->look();
    const Clock::duration taken = Clock::now() - start;
    lock.lock();
    working_ -= begins ? 1 : 0;
    if (--listed->inside == 0 && listed->removed) {
      left_.notify_all();
    }
    if (worked) {
      due_ = std::max(due_, had);
      listed->used = std::max(listed->used, had) + taken;
      return true;
    }
  }
  return false;
}

void Workers::loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const std::uint64_t seen = news_;
    if (work_once(lock)) {
      continue;
    }
    Time alarm = Time::max();
    for (const auto& listed : sources_) {
      alarm = std::min(alarm, listed->source->next_alarm());
    }
    const auto woken = [this, seen] { return stop_ || news_ != seen; };
    if (alarm == Time::max()) {
      wake_.wait(lock, woken);
    } else {
      wake_.wait_until(lock, alarm, woken);
    }
  }
}

}  // namespace bindrt::pipeline
