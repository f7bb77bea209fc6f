// Work that is cheaper together: threads that have a piece each at the same time wait together, and one of
// them does the pieces of several.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace bindrt::pipeline {

template <class Piece>
class Together {
 public:
  struct Limits {
    std::size_t groups;  // done at the same time
    std::size_t pieces;  // of a group
    std::int64_t size;   // of a group's pieces together, unless it is one piece
  };
  // Does a group; `number` is below Limits::groups, and no other group has it meanwhile. Must not throw.
  using Work = std::function<void(std::span<Piece* const> group, std::size_t number)>;

  Together(const Limits& limits, std::function<std::int64_t(const Piece&)> size_of, Work work)
      : limits_(limits), size_of_(std::move(size_of)), work_(std::move(work)) {
    for (std::size_t number = 0; number < limits.groups; ++number) {
      idle_.push_back(number);
    }
  }
  Together(const Together&) = delete;
  Together& operator=(const Together&) = delete;

  // Returns when the piece is done. A piece that finds a free group does not wait for others.
  void run(Piece& piece) {
    Waiting own{&piece};
    std::vector<Waiting*> group;
    std::vector<Piece*> pieces;
    group.reserve(limits_.pieces);
    pieces.reserve(limits_.pieces);
    std::unique_lock lock(mutex_);
    waiting_.push_back(&own);  // from here on nothing throws: others have a pointer to it
    while (!own.done) {
      if (idle_.empty() || waiting_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const std::size_t number = idle_.back();
      idle_.pop_back();
      take(group, pieces);
      lock.unlock();
      work_(pieces, number);
      lock.lock();
      idle_.push_back(number);
      for (Waiting* const each : group) {
        each->done = true;
      }
      changed_.notify_all();
    }
  }

  // Pieces that wait for a free group.
  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  struct Waiting {
    Piece* piece;
    bool done = false;
  };

  // The oldest. With the mutex.
  void take(std::vector<Waiting*>& group, std::vector<Piece*>& pieces) {
    group.clear();
    pieces.clear();
    std::int64_t size = 0;
    while (!waiting_.empty() && group.size() < limits_.pieces) {
      size += size_of_(*waiting_.front()->piece);
      if (!group.empty() && size > limits_.size) {
        return;
      }
      group.push_back(waiting_.front());
      pieces.push_back(waiting_.front()->piece);
      waiting_.pop_front();
    }
  }

  const Limits limits_;
  const std::function<std::int64_t(const Piece&)> size_of_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting*> waiting_;  // not in a group yet, oldest first
  std::vector<std::size_t> idle_;
};

}  // namespace bindrt::pipeline
