#include "csrc/pipeline/trace.h"

#include <unistd.h>

#include <cstdio>

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

void Trace::start(std::size_t capacity) {
  const std::lock_guard lock(mutex_);
  spans_.clear();
  spans_.reserve(capacity);
  capacity_ = capacity;
  missed_ = 0;
  origin_ = Clock::now();
  on_.store(true, std::memory_order_relaxed);
}

void Trace::span(const char* name, int lane, Time begin, Time end, std::uint64_t number, std::int64_t rows) {
  if (!on()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (spans_.size() == capacity_) {
    ++missed_;
  } else {
    spans_.push_back({name, lane, begin, end, this_thread_number(), number, rows});
  }
}

std::string Trace::json(const std::vector<std::string>& lanes) const {
  const std::lock_guard lock(mutex_);
  const int process = static_cast<int>(::getpid());
  std::string text = "{\"displayTimeUnit\": \"ms\", \"otherData\": {\"missed\": " + std::to_string(missed_) +
                     "}, \"traceEvents\": [";
  const char* separator = "\n";
  for (const Span& span : spans_) {
    char line[320];
    const std::string lane = plain(lanes.at(static_cast<std::size_t>(span.lane)));
    std::snprintf(line, sizeof line,
                  R"({"name": "%s %.60s", "cat": "%s", "ph": "X", "pid": %d, "tid": %llu, "ts": %.3f, )"
                  R"("dur": %.3f, "args": {"number": %llu, "rows": %lld}})",
                  span.name, lane.c_str(), span.name, process, static_cast<unsigned long long>(span.thread),
                  microseconds(span.begin - origin_), microseconds(span.end - span.begin),
                  static_cast<unsigned long long>(span.number), static_cast<long long>(span.rows));
    text += separator;
    text += line;
    separator = ",\n";
  }
  return text + "\n]}\n";
}

}  // namespace bindrt::pipeline
