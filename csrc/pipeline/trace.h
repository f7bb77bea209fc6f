// What happened when, for Perfetto or chrome://tracing. Costs one load while it is off.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "csrc/pipeline/request.h"

namespace bindrt::pipeline {

class Trace {
 public:
  // Forgets what was recorded; keeps the first `capacity` spans from now on.
  void start(std::size_t capacity);
  void stop() noexcept { on_.store(false, std::memory_order_relaxed); }
  bool on() const noexcept { return on_.load(std::memory_order_relaxed); }

  // A span of the calling thread. `name` must live for ever.
  void span(const char* name, int lane, Time begin, Time end, std::uint64_t number, std::int64_t rows);

  // The spans in Chrome's trace event format; `lanes` names them.
  std::string json(const std::vector<std::string>& lanes) const;

 private:
  struct Span {
    const char* name;
    int lane;
    Time begin, end;
    std::uint64_t thread;
    std::uint64_t number;
    std::int64_t rows;
  };
  std::atomic<bool> on_{false};
  mutable std::mutex mutex_;
  std::vector<Span> spans_;
  std::size_t capacity_ = 0;
  std::size_t missed_ = 0;  // once it was full
  Time origin_;
};

}  // namespace bindrt::pipeline
