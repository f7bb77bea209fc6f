// Requests of one lane that wait for preprocessing: by priority, then callers take turns, then in order.
// Not thread-safe; the pipeline's mutex guards it.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <unordered_map>

#include "csrc/pipeline/request.h"

namespace bindrt::pipeline {

class RequestQueue {
 public:
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  void push(const RequestPtr& request);
  int top_priority() const { return levels_.begin()->first; }  // of a queue that is not empty
  RequestPtr pop();                                            // of a queue that is not empty
  void erase(const RequestPtr& request);                       // which must be in it

 private:
  struct Caller {
    std::uint64_t id;
    std::list<RequestPtr> requests;
  };
  struct Level {
    std::list<Caller> turns;  // the first is next
    std::unordered_map<std::uint64_t, std::list<Caller>::iterator> callers;
  };
  void remove(std::map<int, Level, std::greater<>>::iterator level, std::list<Caller>::iterator caller,
              const RequestPtr& request);

  std::map<int, Level, std::greater<>> levels_;
  std::size_t size_ = 0;
};

}  // namespace bindrt::pipeline
