// The simulated driver's functions that record a stream's work and replay it, and those that run functions of
// the program. A launched graph is so many pieces of work of its stream, between which other streams may go
// on; what was recorded on other streams is work of streams of the graph's own.
#include <algorithm>
#include <map>

#include "tests/cudasim/device_memory.h"
#include "tests/cudasim/driver/state.h"

using namespace bindrt::cudasim::driver;
using bindrt::cudasim::copy_from_device;
using bindrt::cudasim::copy_to_device;

namespace {

// Its streams are no longer recorded.
void leave(const Capture& capture) {
  for (const Branch& branch : capture.branches) {
    if (branch.stream != nullptr) {
      branch.stream->capture = nullptr;
    }
  }
}

bool is_joined(const Capture& capture) {
  return std::all_of(capture.branches.begin() + 1, capture.branches.end(),
                     [](const Branch& branch) { return branch.joined == branch.work.size(); });
}

// The same work with marks of its own, since each launch passes them anew.
class Launch {
 public:
  Work renewed(Work work) {
    work.after = renewed(work.after);
    work.mark = renewed(work.mark);
    return work;
  }

 private:
  std::shared_ptr<Mark> renewed(const std::shared_ptr<Mark>& recorded) {
    if (recorded == nullptr) {
      return nullptr;
    }
    std::shared_ptr<Mark>& mark = marks_[recorded.get()];
    if (mark == nullptr) {
      mark = std::make_shared<Mark>();
    }
    return mark;
  }
  std::map<const Mark*, std::shared_ptr<Mark>> marks_;
};

}  // namespace

BINDRT_DRIVER_API cu::Result cuStreamBeginCapture_v2(cu::Stream stream, int mode) {
  return guarded([&](State& state) {
    StreamState& found = state.stream(stream);
    if (mode < 0 || mode > 2) {
      throw Refusal{kInvalidValue};
    }
    if (found.capture != nullptr) {
      throw Refusal{kIllegalState};
    }
    found.capture = std::make_shared<Capture>(Capture{std::this_thread::get_id(), mode, {{&found, {}}}});
    found.branch = 0;
    found.capture->valid = state.machine.spoils == 0 || ++state.recordings % state.machine.spoils != 0;
  });
}

// 0: no; 1: being recorded; 2: recorded in vain.
BINDRT_DRIVER_API cu::Result cuStreamIsCapturing(cu::Stream stream, int* status) {
  return guarded([&](State& state) {
    const StreamState& found = state.stream(stream);
    *status = found.capture == nullptr ? 0 : found.capture->valid ? 1 : 2;
  });
}

BINDRT_DRIVER_API cu::Result cuStreamEndCapture(cu::Stream stream, cu::Graph* graph) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    StreamState& found = state.stream(stream);
    *graph = nullptr;
    if (found.capture == nullptr) {
      throw Refusal{kIllegalState};
    }
    if (found.capture->mode != 2 && found.capture->thread != std::this_thread::get_id()) {
      leave(*std::shared_ptr<Capture>(found.capture));  // its own thread finds no recording any more
      throw Refusal{kCaptureWrongThread};
    }
    if (found.branch != 0) {
      found.capture->valid = false;
      throw Refusal{kCaptureUnmatched};
    }
    const std::shared_ptr<Capture> ended = found.capture;
    leave(*ended);
    if (!ended->valid) {
      throw Refusal{kCaptureInvalidated};
    }
    if (!is_joined(*ended)) {
      throw Refusal{kCaptureUnjoined};
    }
    auto made = std::make_unique<GraphState>(GraphState{&context, {}});
    for (Branch& branch : ended->branches) {
      made->branches.push_back(std::move(branch.work));
    }
    *graph = reinterpret_cast<cu::Graph>(made.get());
    state.graphs.emplace(made.get(), std::move(made));
  });
}

BINDRT_DRIVER_API cu::Result cuGraphInstantiateWithFlags(cu::GraphExec* exec, cu::Graph graph,
                                                         unsigned long long flags) {
  return guarded([&](State& state) {
    const GraphState& found = object(state.graphs, graph, state.current());
    if (flags != 0) {
      throw Refusal{kInvalidValue};
    }
    auto made = std::make_unique<ExecState>(ExecState{found.context, found.branches});
    *exec = reinterpret_cast<cu::GraphExec>(made.get());
    state.execs.emplace(made.get(), std::move(made));
  });
}

BINDRT_DRIVER_API cu::Result cuGraphDestroy(cu::Graph graph) {
  return guarded([&](State& state) {
    object(state.graphs, graph);
    state.graphs.erase(graph);
  });
}

BINDRT_DRIVER_API cu::Result cuGraphLaunch(cu::GraphExec exec, cu::Stream stream) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    const ExecState& found = object(state.execs, exec, context);
    state.refuse_captured(state.stream(stream));  // a graph in a graph: not simulated
    Launch launch;
    for (const Work& work : found.branches.front()) {
      state.push(stream, launch.renewed(work));
    }
    std::erase_if(state.orphans, [](const auto& orphan) { return orphan->idle(); });
    for (auto branch = found.branches.begin() + 1; branch != found.branches.end(); ++branch) {
      auto own = std::make_unique<StreamState>(StreamState{&context, {}});
      for (const Work& work : *branch) {
        own->work.push_back(launch.renewed(work));
      }
      state.orphans.push_back(std::move(own));
    }
  });
}

// What was launched is done all the same.
BINDRT_DRIVER_API cu::Result cuGraphExecDestroy(cu::GraphExec exec) {
  return guarded([&](State& state) {
    object(state.execs, exec);
    state.execs.erase(exec);
  });
}

BINDRT_DRIVER_API cu::Result cuLaunchHostFunc(cu::Stream stream, void (*function)(void*), void* argument) {
  return guarded([&](State& state) {
    if (function == nullptr) {
      throw Refusal{kInvalidValue};
    }
    state.push(stream, {[function, argument] { function(argument); }, nullptr, nullptr, true});
  });
}

// Not of the real driver: device memory for functions that cuLaunchHostFunc runs, in place of a kernel.
BINDRT_DRIVER_API cu::Result bindrt_cudasim_read(void* host, cu::Pointer device, std::size_t bytes) {
  return guarded([&](State&) { copy_from_device(host, reinterpret_cast<const void*>(device), bytes); });
}

BINDRT_DRIVER_API cu::Result bindrt_cudasim_write(cu::Pointer device, const void* host, std::size_t bytes) {
  return guarded([&](State&) { copy_to_device(reinterpret_cast<void*>(device), host, bytes); });
}
