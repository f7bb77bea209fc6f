#include "csrc/pipeline/workers.h"

#include <unistd.h>

#include <algorithm>

namespace bindrt::pipeline {

std::shared_ptr<Workers> Workers::make(int threads) {
  return {new Workers(threads), [](Workers* workers) {
            if (workers->process_ == ::getpid()) {
              delete workers;
            }
          }};
}

Workers::Workers(int threads) : process_(::getpid()) {
  for (int i = 0; i < std::max(threads, 1); ++i) {
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

bool Workers::is_worker() const {
  return std::any_of(threads_.begin(), threads_.end(),
                     [](const std::thread& thread) { return thread.get_id() == std::this_thread::get_id(); });
}

// Asks the sources in turn, beginning behind the one that had work last.
bool Workers::work_once(std::unique_lock<std::mutex>& lock) {
  const std::size_t count = sources_.size();
  for (std::size_t i = 0; i < count && !sources_.empty(); ++i) {
    const std::shared_ptr<Listed> listed = sources_[turn_++ % sources_.size()];
    ++listed->inside;
    lock.unlock();
    const bool worked = listed->source->work();
    lock.lock();
    if (--listed->inside == 0 && listed->removed) {
      left_.notify_all();
    }
    if (worked) {
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
