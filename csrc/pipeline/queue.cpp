// Requests in and out of a lane's queue, by priority and by callers in turn.

#include "csrc/pipeline/queue.h"

namespace bindrt::pipeline {

void RequestQueue::push(const RequestPtr& request) {
  Level& level = levels_[request->priority];
  auto known = level.callers.find(request->caller);
  if (known == level.callers.end()) {
    level.turns.push_back({request->caller, {}});
    known = level.callers.emplace(request->caller, std::prev(level.turns.end())).first;
  }
  std::list<RequestPtr>& requests = known->second->requests;
  requests.push_back(request);
  request->queued_at = std::prev(requests.end());
  ++size_;
}

RequestPtr RequestQueue::pop() {
  const auto level = levels_.begin();
  const auto caller = level->second.turns.begin();
  level->second.turns.splice(level->second.turns.end(), level->second.turns, caller);
  const RequestPtr request = caller->requests.front();
  remove(level, caller, request);
  return request;
}

void RequestQueue::erase(const RequestPtr& request) {
  const auto level = levels_.find(request->priority);
  remove(level, level->second.callers.at(request->caller), request);
}

void RequestQueue::remove(std::map<int, Level, std::greater<>>::iterator level,
                          std::list<Caller>::iterator caller, const RequestPtr& request) {
  const std::uint64_t id = caller->id;
  caller->requests.erase(request->queued_at);
  if (caller->requests.empty()) {
    level->second.turns.erase(caller);
    level->second.callers.erase(id);
    if (level->second.turns.empty()) {
      levels_.erase(level);
    }
  }
  --size_;
}

}  // namespace bindrt::pipeline
