// Recording spans, and writing them as Chrome's trace events.

#include "csrc/pipeline/trace.h"

#include <unistd.h>

#include <cstdio>
#include <map>
#include <string_view>

namespace bindrt::pipeline {
namespace {

std::uint64_t this_thread_number() {
  static std::atomic<std::uint64_t> next{1};
  thread_local const std::uint64_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

double microseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

// Names are a lane's: letters, in practice; anything else would end the JSON string.
std::string plain(const std::string& name) {
  std::string text;
  for (const char c : name) {
    text += c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ' ? '_' : c;
  }
  return text;
}

}  // namespace

void Trace::start(std::size_t capacity, Time origin) {
  const std::lock_guard lock(mutex_);
  spans_.clear();
  spans_.reserve(capacity);
  capacity_ = capacity;
  missed_ = 0;
  origin_ = origin;
  on_.store(true, std::memory_order_relaxed);
}

void Trace::span(const char* name, int lane, Time begin, Time end, std::uint64_t number, std::int64_t rows) {
  if (!on()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (begin < origin_) {
    return;  // it was going on when recording began
  }
  if (spans_.size() == capacity_) {
    ++missed_;
  } else {
    spans_.push_back({name, lane, begin, end, this_thread_number(), number, rows});
  }
}

std::size_t Trace::missed() const {
  const std::lock_guard lock(mutex_);
  return missed_;
}

std::string Trace::events(const std::vector<std::string>& lanes) const {
  const std::lock_guard lock(mutex_);
  const int process = static_cast<int>(::getpid());
  std::map<std::uint64_t, std::string> threads;
  std::string text;
  const auto add = [&text](const char* line) {
    text += text.empty() ? "\n" : ",\n";
    text += line;
  };
  char line[320];
  for (const Span& span : spans_) {
    const std::string lane = plain(lanes.at(static_cast<std::size_t>(span.lane)));
    std::snprintf(line, sizeof line,
                  R"({"name": "%s %.60s", "cat": "%s", "ph": "X", "pid": %d, "tid": %llu, "ts": %.3f, )"
                  R"("dur": %.3f, "args": {"number": %llu, "rows": %lld}})",
                  span.name, lane.c_str(), span.name, process, static_cast<unsigned long long>(span.thread),
                  microseconds(span.begin - origin_), microseconds(span.end - span.begin),
                  static_cast<unsigned long long>(span.number), static_cast<long long>(span.rows));
    add(line);
    std::string& name = threads[span.thread];
    if (span.name == std::string_view("engine")) {
      name = "engine " + lane;  // which also hands over, while it has nothing else to do
    } else if (name.empty()) {
      name = span.name == std::string_view("finish") ? "hand-over " + lane : "worker";
    }
  }
  for (const auto& [thread, name] : threads) {
    std::snprintf(line, sizeof line,
                  R"({"name": "thread_name", "ph": "M", "pid": %d, "tid": %llu, "args": {"name": "%.60s"}})",
                  process, static_cast<unsigned long long>(thread), name.c_str());
    add(line);
  }
  return text;
}

}  // namespace bindrt::pipeline
