// Work of a stream recorded once, to be queued again by one call.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <tuple>

#include "csrc/gpu/stream.h"

namespace bindrt::gpu {

// Launches use the addresses and sizes of the recording.
class ExecutableGraph {
 public:
  // Records what `body` queues on the stream; none of it runs. Null if the driver has no graphs, does not
  // record what the body does, or the body throws: the stream is then as before.
  static std::unique_ptr<ExecutableGraph> record(const Stream& stream, const std::function<void()>& body);
  ExecutableGraph(const ExecutableGraph&) = delete;
  ExecutableGraph& operator=(const ExecutableGraph&) = delete;
  ~ExecutableGraph();  // launched work is done all the same

  void launch(const Stream& stream) const;

 private:
  ExecutableGraph(const Context& context, cu::GraphExec exec) : context_(context), exec_(exec) {}

  const Context& context_;
  cu::GraphExec exec_;
};

// The graphs of a stream for the shapes that keep coming, at most `most`; the one that was not used for the
// longest time is dropped first.
class GraphCache {
 public:
  // What a graph depends on: the first lane whose rows are of the shape, length, rows, and the buffers.
  using Key = std::tuple<int, std::int64_t, std::int64_t, std::size_t>;

  explicit GraphCache(std::size_t most) : most_(most) {}

  struct Counts {
    std::uint64_t recorded = 0;
    std::uint64_t refused = 0;  // shapes that the driver or the engine did not let record, so far
    std::uint64_t launched = 0;
  };

  // Queues what `body(recording)` queues on the stream. If the key has a graph, that is launched. If not,
  // `body(false)` runs; the second time `body(true)` records it as well. A recording that failed is tried
  // again when the key has come twice as often: what made it fail may be over, or never be.
  void run(const Key& key, const Stream& stream, const std::function<void(bool)>& body);

  // Seconds that so many rows of a length take on the device at the most, by the graphs of the lane that were
  // timed: more rows, or longer ones, cost no more than in proportion. Infinite where none was.
  double seconds_at_most(int lane, std::int64_t length, std::int64_t rows) const noexcept;

  const Counts& counts() const noexcept { return counts_; }

 private:
  // One launch between two events.
  struct Timing {
    Event begin, end;
  };
  struct Entry {
    Key key;
    std::unique_ptr<ExecutableGraph> graph;
    std::uint64_t uses = 1;
    std::uint64_t record_at = 2;  // which use
    bool refused = false;
    std::uint64_t launches = 0;
    std::unique_ptr<Timing> timing = nullptr;  // while it is being timed
    double seconds = 0;                        // 0: not known
  };
  Entry* find(const Key& key);  // which is then the one used last
  void record(Entry& entry, const Stream& stream, const std::function<void(bool)>& body);
  void launch(Entry& entry, const Stream& stream);
  bool begin_timing(Entry& entry, const Stream& stream);
  static void end_timing(Entry& entry);

  std::size_t most_;
  std::list<Entry> entries_;  // used last first
  Counts counts_;
};

}  // namespace bindrt::gpu
