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
  // Forgets what was recorded; keeps the first `capacity` spans from now on. Times count from `origin`.
  void start(std::size_t capacity, Time origin);
  void stop() noexcept { on_.store(false, std::memory_order_relaxed); }
  bool on() const noexcept { return on_.load(std::memory_order_relaxed); }

  // A span of the calling thread. `name` must live for ever.
  void span(const char* name, int lane, Time begin, Time end, std::uint64_t number, std::int64_t rows);

  // The spans as objects of Chrome's trace event format, with commas between; `lanes` names them, and each
  // thread is named after what it does.
  std::string events(const std::vector<std::string>& lanes) const;
  std::size_t missed() const;  // spans, once it was full

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
  std::size_t missed_ = 0;
  Time origin_;
};

}  // namespace bindrt::pipeline
