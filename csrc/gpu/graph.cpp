// Records CUDA graphs, and keeps those of the shapes that keep coming.
#include "csrc/gpu/graph.h"

#include <algorithm>
#include <limits>

namespace bindrt::gpu {

std::unique_ptr<ExecutableGraph> ExecutableGraph::record(const Stream& stream,
                                                         const std::function<void()>& body) {
  const Context& context = stream.context();
  const Context::Current current(context);
  const Driver& driver = context.driver();
  if (driver.ask(&cu::Api::capture_begin, stream.handle(), cu::kCaptureThreadLocal) != cu::kSuccess) {
    return nullptr;
  }
  bool good = true;
  try {
    body();
  } catch (...) {  // it was just run without being recorded: it is the recording that failed
    good = false;
  }
  cu::Graph recorded = nullptr;
  good = driver.ask(&cu::Api::capture_end, stream.handle(), &recorded) == cu::kSuccess && good;
  cu::GraphExec exec = nullptr;
  good = good && driver.ask(&cu::Api::graph_instantiate, &exec, recorded, 0ULL) == cu::kSuccess;
  if (recorded != nullptr) {
    driver.ask(&cu::Api::graph_destroy, recorded);
  }
  return good ? std::unique_ptr<ExecutableGraph>(new ExecutableGraph(context, exec)) : nullptr;
}

ExecutableGraph::~ExecutableGraph() { context_.ask(&cu::Api::exec_destroy, exec_); }

void ExecutableGraph::launch(const Stream& stream) const {
  context_.call("cuGraphLaunch", &cu::Api::graph_launch, exec_, stream.handle());
}

GraphCache::Entry* GraphCache::find(const Key& key) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&key](const Entry& entry) { return entry.key == key; });
  if (found == entries_.end()) {
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found);
  return &entries_.front();
}

void GraphCache::run(const Key& key, const Stream& stream, const std::function<void(bool)>& body) {
  if (most_ == 0) {
    body(false);
    return;
  }
  Entry* const entry = find(key);
  if (entry != nullptr && entry->graph != nullptr) {
    launch(*entry, stream);
    return;
  }
  body(false);
  if (entry == nullptr) {
    entries_.push_front({.key = key, .graph = nullptr});
    if (entries_.size() > most_) {
      entries_.pop_back();
    }
  } else if (++entry->uses == entry->record_at) {
    record(*entry, stream, body);
  }
}

void GraphCache::launch(Entry& entry, const Stream& stream) {
  end_timing(entry);
  const bool timed = begin_timing(entry, stream);
  entry.graph->launch(stream);
  ++counts_.launched;
  ++entry.launches;
  if (timed) {
    entry.timing->end.record(stream);
  }
}

// The second launch: the first also uploads the graph. Without a clock on the device nothing is timed.
bool GraphCache::begin_timing(Entry& entry, const Stream& stream) {
  if (entry.launches != 1) {
    return false;
  }
  try {
    const Context& context = stream.context();
    entry.timing.reset(new Timing{Event(context, Event::Timing::kOn), Event(context, Event::Timing::kOn)});
    entry.timing->begin.record(stream);
    return true;
  } catch (const Error&) {
    entry.timing = nullptr;
    return false;
  }
}

void GraphCache::end_timing(Entry& entry) {
  if (entry.timing == nullptr || !entry.timing->end.passed()) {
    return;
  }
  try {
    entry.seconds = 1e-3 * static_cast<double>(entry.timing->end.milliseconds_since(entry.timing->begin));
  } catch (const Error&) {  // the launch failed, which its batch says, or there is no clock
  }
  entry.timing = nullptr;
}

double GraphCache::seconds_at_most(int lane, std::int64_t length, std::int64_t rows) const noexcept {
  const auto times = [](std::int64_t wanted, std::int64_t timed) {
    return wanted > timed ? static_cast<double>(wanted) / static_cast<double>(timed) : 1.0;
  };
  double least = std::numeric_limits<double>::infinity();
  for (const Entry& entry : entries_) {
    const auto& [of, timed_length, timed_rows, set] = entry.key;
    if (of == lane && entry.seconds > 0) {
      least = std::min(least, entry.seconds * times(rows, timed_rows) * times(length, timed_length));
    }
  }
  return least;
}

// Right after the same work was queued: an engine may change its state at a new shape, and has just seen this
// one.
void GraphCache::record(Entry& entry, const Stream& stream, const std::function<void(bool)>& body) {
  entry.graph = ExecutableGraph::record(stream, [&body] { body(true); });
  if (entry.graph != nullptr) {
    ++counts_.recorded;
    counts_.refused -= entry.refused ? 1 : 0;
    return;
  }
  counts_.refused += entry.refused ? 0 : 1;
  entry.refused = true;
  entry.record_at *= 2;
}

}  // namespace bindrt::gpu
