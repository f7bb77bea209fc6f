// What the simulated driver holds: devices, contexts, memory, streams. Under one lock, which every function
// of the driver takes; work of streams is done by whoever waits for it.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "csrc/gpu/api.h"
#include "tests/cudasim/device_memory.h"
#include "tests/cudasim/driver/image.h"
#include "tests/cudasim/options.h"
#include "tests/cudasim/registry.h"

namespace bindrt::cudasim::driver {

namespace cu = gpu::cu;

// Results of the driver that only it needs.
constexpr cu::Result kInvalidValue = 1;
constexpr cu::Result kNoDevice = 100;
constexpr cu::Result kInvalidDevice = 101;
constexpr cu::Result kInvalidContext = 201;
constexpr cu::Result kInvalidHandle = 400;
constexpr cu::Result kIllegalState = 401;
constexpr cu::Result kCaptureUnsupported = 900;  // a call that no stream may get while it is being recorded
constexpr cu::Result kCaptureInvalidated = 901;
constexpr cu::Result kCaptureUnmatched = 903;  // ended on a stream that it did not begin on
constexpr cu::Result kCaptureUnjoined = 904;   // another stream was drawn in, and nothing waits for it
constexpr cu::Result kCaptureIsolation = 905;  // a wait for something that is not recorded with it
constexpr cu::Result kCapturedEvent = 907;     // is of a recording: it will never pass
constexpr cu::Result kCaptureWrongThread = 908;
constexpr cu::Result kOutOfResources = cu::kLaunchOutOfResources;

constexpr std::uintptr_t kLegacyStream = 1;
constexpr std::uintptr_t kStreamOfThread = 2;

// A call that is refused; the function returns the code.
struct Refusal {
  cu::Result code;
};

// What is simulated: from the environment variable BINDRT_CUDASIM_DEVICE, e.g.
// count=2,capability=87,memory=64,cuda=124,ptx=84 (memory in MiB; CUDA 12.4; PTX up to version 8.4). With
// cubins=0 it refuses all machine code; lost=226 is the error that a failed kernel leaves; with spoils=3
// every third recording fails. pinned=64 are MiB of page-locked memory that there are; 0: any.
struct Machine {
  int count = 1;
  int capability = 89;
  std::size_t memory = std::size_t{1024} << 20;
  int cuda = 130;
  int ptx = 90;
  bool cubins = true;
  int spoils = 0;
  std::size_t pinned = 0;
  cu::Result lost = cu::kLaunchFailed;
};
Machine parse_machine(const std::string& text);  // std::invalid_argument names what is wrong

// Whether the work before a mark is done.
struct Mark {
  bool passed = false;
};

struct ContextState {
  int device = 0;
  int users = 0;  // of the primary context
  std::size_t used = 0;
  cu::Result lost = cu::kSuccess;  // what every call returns once a kernel has failed
};

struct Work {
  std::function<void()> run;    // throws Failure
  std::shared_ptr<Mark> after;  // not before this has passed; null for any time
  std::shared_ptr<Mark> mark;   // which this passes, even if it is given up; null for none
  bool of_host = false;         // a function of the program, which runs without the lock
};

struct StreamState;

// Work of one stream that is recorded for a graph instead of being queued.
struct Branch {
  StreamState* stream;
  std::vector<Work> work;
  std::size_t joined = 0;  // pieces that another branch waits for
};

// A recording: of the stream that it began on, and of those drawn in since they wait for its events.
struct Capture {
  std::thread::id thread;
  int mode;
  std::vector<Branch> branches;
  bool valid = true;
};

struct StreamState {
  ContextState* context;
  std::deque<Work> work;
  bool busy = false;                           // a function of the program is running
  std::shared_ptr<Capture> capture = nullptr;  // null: it is not recorded
  std::size_t branch = 0;                      // of the recording

  bool idle() const { return work.empty() && !busy; }
};

// Where in a recording an event was recorded.
struct Captured {
  std::weak_ptr<Capture> capture;
  std::size_t branch;
  std::size_t pieces;  // of the branch, up to the event
  std::shared_ptr<Mark> mark;
};

struct EventState {
  ContextState* context;
  bool timing;
  std::shared_ptr<Mark> mark;        // of the last record; null before the first
  std::optional<Captured> captured;  // if that was in a recording
};

// Work by branch; the first is that of the stream that launches it.
struct GraphState {
  ContextState* context;
  std::vector<std::vector<Work>> branches;
};
struct ExecState {  // a graph that can be launched
  ContextState* context;
  std::vector<std::vector<Work>> branches;
};

struct ModuleState {
  ContextState* context;
  Image image;
};

struct FunctionState {
  ContextState* context;
  const Kernel* kernel;
  KernelFacts facts;
  std::size_t dynamic_shared;  // bytes that launches may ask for
};

struct Allocation {
  ContextState* context;
  std::unique_ptr<DeviceMemory> memory;
};

class State {
 public:
  static State& instance();

  std::mutex mutex;
  pid_t started = 0;  // the process that did; 0: none
  Machine machine;
  std::vector<std::unique_ptr<ContextState>> contexts;  // by device
  std::map<cu::Pointer, Allocation> memory;             // by address
  std::map<std::byte*, std::vector<std::byte>> pinned;  // by address
  std::size_t pinned_bytes = 0;
  std::size_t most_used = 0, most_pinned = 0;  // of all devices; since cudasimMostBytes
  std::map<const void*, std::unique_ptr<StreamState>> streams;
  std::vector<std::unique_ptr<StreamState>> orphans;  // destroyed before their work was done
  std::map<const void*, std::unique_ptr<EventState>> events;
  std::map<const void*, std::unique_ptr<GraphState>> graphs;
  std::map<const void*, std::unique_ptr<ExecState>> execs;
  std::map<const void*, std::unique_ptr<ModuleState>> modules;
  std::map<const void*, std::unique_ptr<FunctionState>> functions;
  Random random;
  int recordings = 0;  // that were begun

  // Refusal in a process that was forked after the driver was started: nothing works there.
  void refuse_in_child() const;
  // The calling thread's context; Refusal if it has none or it is lost.
  ContextState& current();
  std::vector<ContextState*>& stack();  // of the calling thread
  // The calling thread's context's stream of that handle, which may be one of the two that every program has:
  // the legacy one, which our streams do not wait for since they are non-blocking, and the thread's own.
  StreamState& stream(cu::Stream handle);

  // Does one piece of the work that can be done, of any stream, by chance; false if there is none.
  bool step();
  // Until the condition holds. Refusal if the context was lost meanwhile.
  void run_until(ContextState& context, const std::function<bool()>& condition);
  bool has_work(const ContextState& context) const;

  bool is_pinned(const void* host, std::size_t bytes) const;

  // Bytes of all devices that are allocated.
  std::size_t used() const;

  // Queues work on a stream of the current context, or records it.
  void push(cu::Stream stream, Work work);
  // Refusal for what must not be done to a stream that is being recorded; the recording is lost.
  void refuse_captured(const StreamState& stream) const;
  // The same for calls that may wait for everything, while a recording forbids them to this thread.
  void refuse_in_capture() const;

 private:
  State();
  void run(StreamState& stream);
  bool any_busy() const;
  std::map<std::pair<const ContextState*, std::thread::id>, StreamState*> defaults_;  // in `streams` too
  std::condition_variable_any host_done_;
  void lose(ContextState& context);
};

// The object behind a handle, or Refusal.
template <class Object>
Object& object(std::map<const void*, std::unique_ptr<Object>>& all, const void* handle) {
  const auto found = all.find(handle);
  if (found == all.end()) {
    throw Refusal{kInvalidHandle};
  }
  return *found->second;
}

// The same, which must belong to the context.
template <class Object>
Object& object(std::map<const void*, std::unique_ptr<Object>>& all, const void* handle,
               const ContextState& context) {
  Object& found = object(all, handle);
  if (found.context != &context) {
    throw Refusal{kInvalidContext};
  }
  return found;
}

// Runs the body of a function of the driver with the lock held.
cu::Result guarded(const std::function<void(State&)>& body) noexcept;

}  // namespace bindrt::cudasim::driver

#define BINDRT_DRIVER_API extern "C" __attribute__((visibility("default")))
