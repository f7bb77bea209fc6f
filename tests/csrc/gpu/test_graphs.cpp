// csrc/gpu/graph and what the driver, whose path is the program's argument, says of misuse. What would be a
// crash of a real driver, or depends on its pace, is checked of the simulated one alone.
#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "csrc/gpu/graph.h"
#include "csrc/gpu/memory.h"
#include "tests/cpp/check.h"
#include "tests/csrc/gpu/kernel_set.h"

namespace bindrt::gpu {
namespace {

constexpr std::size_t kBytes = 64;

// Page-locked bytes → device → page-locked bytes.
struct Chain {
  explicit Chain(Context& of)
      : context(of), stream(of), from(of, kBytes), device(of, kBytes), to(of, kBytes) {}

  void queue() const {
    context.call("in", &cu::Api::copy_to_device, device.address(), static_cast<const void*>(from.data()),
                 kBytes, stream.handle());
    context.call("out", &cu::Api::copy_to_host, static_cast<void*>(to.data()), device.address(), kBytes,
                 stream.handle());
  }
  void fill(int value) const { std::memset(from.data(), value, kBytes); }
  bool holds(int value) const {
    return std::all_of(to.data(), to.data() + kBytes,
                       [value](std::byte each) { return each == static_cast<std::byte>(value); });
  }
  std::string name(cu::Result result) const { return context.driver().error_name(result); }

  Context& context;
  Stream stream;
  PinnedMemory from;
  DeviceMemory device;
  PinnedMemory to;
};

void test_a_graph_does_what_was_recorded(Context& context) {
  Chain chain(context);
  chain.fill(1);
  const auto graph = ExecutableGraph::record(chain.stream, [&] { chain.queue(); });
  CHECK(graph != nullptr);
  chain.stream.wait();
  CHECK(!chain.holds(1));  // recording runs nothing
  for (int value = 2; value < 5; ++value) {
    chain.fill(value);  // read when it is launched
    graph->launch(chain.stream);
    CHECK(!context.driver().simulated() || !chain.stream.idle());
    chain.stream.wait();
    CHECK(chain.holds(value));
  }
}

void test_a_graph_waits_for_its_stream(Context& context) {
  Chain chain(context);
  Stream other(context);
  Event ready(context);
  const auto graph = ExecutableGraph::record(chain.stream, [&] { chain.queue(); });
  for (int round = 0; round < 20; ++round) {
    const DeviceMemory seen(context, kBytes);
    chain.fill(round);
    graph->launch(chain.stream);
    ready.record(chain.stream);
    other.wait_for(ready);
    context.call("on", &cu::Api::copy_on_device, seen.address(), chain.device.address(), kBytes,
                 other.handle());
    other.wait();
    CHECK(chain.holds(round));
  }
}

// As libraries do that have streams of their own: from → device on one, device → to on another.
void test_a_graph_of_two_streams(Context& context) {
  Chain chain(context);
  Stream second(context);
  Event begun(context);
  Event ended(context);
  const auto record = [&](bool joined) {
    return ExecutableGraph::record(chain.stream, [&] {
      context.call("in", &cu::Api::copy_to_device, chain.device.address(),
                   static_cast<const void*>(chain.from.data()), kBytes, chain.stream.handle());
      begun.record(chain.stream);
      second.wait_for(begun);
      context.call("out", &cu::Api::copy_to_host, static_cast<void*>(chain.to.data()), chain.device.address(),
                   kBytes, second.handle());
      ended.record(second);
      if (joined) {
        chain.stream.wait_for(ended);
      }
    });
  };
  CHECK(record(false) == nullptr);  // nothing would wait for what the second has got
  const auto graph = record(true);
  CHECK(graph != nullptr);
  for (int round = 0; round < 20; ++round) {
    chain.fill(round);
    graph->launch(chain.stream);
    chain.stream.wait();
    CHECK(chain.holds(round));
  }
  // Neither stream is recorded any more.
  begun.record(chain.stream);
  second.wait_for(begun);
  second.wait();
  CHECK(begun.passed());
}

void test_a_body_that_throws(Context& context) {
  Chain chain(context);
  CHECK(ExecutableGraph::record(chain.stream, [&] {
          chain.queue();
          throw std::runtime_error("no");
        }) == nullptr);
  CHECK(ExecutableGraph::record(chain.stream, [&] { chain.stream.wait(); }) == nullptr);
  chain.fill(9);
  chain.queue();  // the stream is as before
  chain.stream.wait();
  CHECK(chain.holds(9));
}

void test_cache(Context& context) {
  Chain chain(context);
  GraphCache cache(2);
  int calls = 0;
  int recordings = 0;
  const auto run = [&](std::int64_t rows) {
    cache.run({0, 0, rows, 0}, chain.stream, [&](bool recording) {
      recordings += recording ? 1 : 0;
      ++calls;
      chain.queue();
    });
  };
  run(1);
  CHECK(calls == 1);
  run(1);
  CHECK(calls == 3 && recordings == 1);  // once to be done, once to be recorded
  run(1);
  run(1);
  CHECK(calls == 3 && cache.counts().launched == 2);
  run(2);
  run(3);  // 1 was not used for the longest time
  run(1);
  CHECK(calls == 6);
  chain.fill(7);
  run(1);
  chain.stream.wait();
  CHECK(chain.holds(7));

  GraphCache refused(4);
  for (int round = 0; round < 4; ++round) {
    refused.run({0, 0, 1, 0}, chain.stream, [&](bool) {
      chain.queue();
      chain.stream.wait();
    });
  }
  CHECK(refused.counts().refused == 1 && refused.counts().recorded == 0);

  // A recording that failed is tried again at the 4th, 8th, 16th, … use.
  GraphCache again(4);
  int tried = 0;
  for (int round = 1; round <= 20; ++round) {
    again.run({0, 0, 1, 0}, chain.stream, [&](bool recording) {
      chain.queue();
      if (recording && ++tried < 3) {
        throw std::runtime_error("not now");
      }
    });
    CHECK(tried == (round < 2 ? 0 : round < 4 ? 1 : round < 8 ? 2 : 3));
    CHECK(again.counts().refused == (round >= 2 && round < 8 ? 1U : 0U));
  }
  CHECK(again.counts().recorded == 1 && again.counts().launched == 12);
  chain.stream.wait();
  GraphCache none(0);
  calls = 0;
  for (int round = 0; round < 4; ++round) {
    none.run({0, 0, 1, 0}, chain.stream, [&](bool) { ++calls; });
  }
  CHECK(calls == 4);
}

void test_misuse(Context& context) {
  Chain chain(context);
  const cu::Stream stream = chain.stream.handle();
  cu::Graph graph = nullptr;
  const auto end = [&] { return chain.name(context.ask(&cu::Api::capture_end, stream, &graph)); };
  const auto begin = [&] {
    return context.ask(&cu::Api::capture_begin, stream, cu::kCaptureThreadLocal) == cu::kSuccess;
  };
  CHECK(end() == "CUDA_ERROR_ILLEGAL_STATE");
  // What ends a recording, and what is said afterwards.
  const auto spoils = [&](const char* said, const auto& call) {
    CHECK(begin());
    CHECK(chain.name(call()) == said);
    CHECK(end() == "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED");
    CHECK(graph == nullptr);
  };
  const char* const unsupported = "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED";
  spoils(unsupported, [&] { return context.ask(&cu::Api::stream_synchronize, stream); });
  spoils(unsupported, [&] { return context.ask(&cu::Api::stream_query, stream); });
  spoils(unsupported, [&] { return context.ask(&cu::Api::context_synchronize); });
  cu::Pointer memory = 0;
  spoils(unsupported, [&] { return context.ask(&cu::Api::memory_alloc, &memory, kBytes); });
  // A copy from ordinary memory is recorded, as from page-locked memory.
  std::vector<std::byte> pageable(kBytes);
  CHECK(begin());
  CHECK(context.ask(&cu::Api::copy_to_device, chain.device.address(),
                    static_cast<const void*>(pageable.data()), kBytes, stream) == cu::kSuccess);
  CHECK(end() == "CUDA_SUCCESS");
  CHECK(chain.name(context.ask(&cu::Api::graph_destroy, graph)) == "CUDA_SUCCESS");
  Event outside(context);
  Stream other(context);
  outside.record(other);
  spoils("CUDA_ERROR_STREAM_CAPTURE_ISOLATION",
         [&] { return context.ask(&cu::Api::stream_wait, stream, outside.handle(), 0U); });

  // A stream that was drawn in may not end the recording.
  CHECK(begin());
  outside.record(chain.stream);
  other.wait_for(outside);
  CHECK(chain.name(context.ask(&cu::Api::capture_end, other.handle(), &graph)) ==
        "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED");
  CHECK(end() == "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED");
  CHECK(chain.name(context.ask(&cu::Api::stream_wait, other.handle(), outside.handle(), 0U)) ==
        "CUDA_ERROR_INVALID_VALUE");

  // An event that was recorded inside never passes; who waits for it spoils the recording.
  Event inside(context);
  CHECK(begin());
  inside.record(chain.stream);
  chain.stream.wait_for(inside);
  CHECK(chain.name(context.ask(&cu::Api::event_synchronize, inside.handle())) == "CUDA_ERROR_CAPTURED_EVENT");
  CHECK(end() == "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED");
  CHECK(begin());
  CHECK(end() == "CUDA_SUCCESS");
  const bool simulated = context.driver().simulated();
  if (simulated) {
    CHECK(chain.name(context.ask(&cu::Api::graph_launch, reinterpret_cast<cu::GraphExec>(graph), stream)) ==
          "CUDA_ERROR_INVALID_HANDLE");  // it was not instantiated
  }
  CHECK(chain.name(context.ask(&cu::Api::graph_destroy, graph)) == "CUDA_SUCCESS");
  CHECK(!simulated || chain.name(context.ask(&cu::Api::graph_destroy, graph)) == "CUDA_ERROR_INVALID_HANDLE");

  // Another thread may allocate meanwhile, and may not end the recording; if it tries there is none any more.
  CHECK(begin());
  std::thread([&] {
    const DeviceMemory own(context, kBytes);
    CHECK(end() == "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD");
  }).join();
  CHECK(end() == "CUDA_ERROR_ILLEGAL_STATE");
}

}  // namespace
}  // namespace bindrt::gpu

int main(int count, char** arguments) {
  using namespace bindrt::gpu;
  if (count != 2) {
    std::fprintf(stderr, "usage: test_graphs LIBCUDA\n");
    return 2;
  }
  const Driver driver(arguments[1]);
  Context context(driver, 0, kernel_set());
  test_a_graph_does_what_was_recorded(context);
  test_a_graph_waits_for_its_stream(context);
  test_a_graph_of_two_streams(context);
  test_a_body_that_throws(context);
  test_cache(context);
  test_misuse(context);
  return bindrt::testing::finish();
}
