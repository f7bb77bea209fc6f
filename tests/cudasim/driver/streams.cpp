// The simulated driver's functions about streams and events. Nothing is done before somebody waits for it or
// asks; then the streams' work is done in an order by chance, within what streams and events demand.
#include <algorithm>

#include "tests/cudasim/driver/state.h"

using namespace bindrt::cudasim::driver;

namespace {

void refuse_event(const EventState& event) {
  if (event.captured.has_value()) {
    throw Refusal{kCapturedEvent};
  }
}

// A stream waits for an event of a recording: it is drawn into the recording, if it is not part of it.
void wait_in_capture(StreamState& waiting, const Captured& captured) {
  const std::shared_ptr<Capture> capture = captured.capture.lock();
  const bool live =
      capture != nullptr && capture->valid &&
      std::any_of(capture->branches.begin(), capture->branches.end(), [&](const Branch& branch) {
        return branch.stream != nullptr && branch.stream->capture == capture;
      });
  if (!live) {
    throw Refusal{kInvalidValue};
  }
  if (waiting.capture == nullptr) {
    waiting.capture = capture;
    waiting.branch = capture->branches.size();
    capture->branches.push_back({&waiting, {}});
  }
  Branch& recorded = capture->branches.at(captured.branch);
  if (captured.branch != waiting.branch) {
    recorded.joined = std::max(recorded.joined, captured.pieces);
  }
  capture->branches.at(waiting.branch).work.push_back({[] {}, captured.mark, nullptr});
}

}  // namespace

BINDRT_DRIVER_API cu::Result cuStreamCreate(cu::Stream* stream, unsigned flags) {
  return guarded([&](State& state) {
    if (flags > cu::kStreamNonBlocking) {
      throw Refusal{kInvalidValue};
    }
    auto made = std::make_unique<StreamState>(StreamState{&state.current(), {}});
    *stream = reinterpret_cast<cu::Stream>(made.get());
    state.streams.emplace(made.get(), std::move(made));
  });
}

// The work that is queued is still done, some time.
BINDRT_DRIVER_API cu::Result cuStreamDestroy_v2(cu::Stream stream) {
  return guarded([&](State& state) {
    object(state.streams, stream);
    auto node = state.streams.extract(stream);
    if (const auto& capture = node.mapped()->capture; capture != nullptr) {
      capture->valid = false;
      capture->branches.at(node.mapped()->branch).stream = nullptr;
    }
    if (!node.mapped()->idle()) {
      state.orphans.push_back(std::move(node.mapped()));
    }
  });
}

BINDRT_DRIVER_API cu::Result cuStreamSynchronize(cu::Stream stream) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    const StreamState& found = state.stream(stream);
    state.refuse_captured(found);
    state.run_until(context, [&found] { return found.idle(); });
  });
}

BINDRT_DRIVER_API cu::Result cuStreamQuery(cu::Stream stream) {
  return guarded([&](State& state) {
    const StreamState& found = state.stream(stream);
    state.refuse_captured(found);
    state.step();  // so that asking again and again comes to an end
    if (!found.idle()) {
      throw Refusal{cu::kNotReady};
    }
    state.current();  // refuses if the context was lost
  });
}

BINDRT_DRIVER_API cu::Result cuStreamWaitEvent(cu::Stream stream, cu::Event event, unsigned flags) {
  return guarded([&](State& state) {
    StreamState& waiting = state.stream(stream);
    const EventState& found = object(state.events, event);  // may be another context's
    if (flags != 0) {
      throw Refusal{kInvalidValue};
    }
    const bool other = waiting.capture != nullptr &&
                       (!found.captured.has_value() || found.captured->capture.lock() != waiting.capture);
    if (other && (found.mark != nullptr || found.captured.has_value())) {
      waiting.capture->valid = false;
      throw Refusal{kCaptureIsolation};
    }
    if (found.captured.has_value()) {
      wait_in_capture(waiting, *found.captured);
      return;
    }
    if (found.mark == nullptr) {
      return;
    }
    waiting.work.push_back({[] {}, found.mark, nullptr});
  });
}

BINDRT_DRIVER_API cu::Result cuEventCreate(cu::Event* event, unsigned flags) {
  return guarded([&](State& state) {
    if ((flags & ~(cu::kEventBlockingSync | cu::kEventDisableTiming)) != 0) {
      throw Refusal{kInvalidValue};
    }
    const bool timing = (flags & cu::kEventDisableTiming) == 0;
    auto made = std::make_unique<EventState>(EventState{&state.current(), timing, nullptr, std::nullopt});
    *event = reinterpret_cast<cu::Event>(made.get());
    state.events.emplace(made.get(), std::move(made));
  });
}

BINDRT_DRIVER_API cu::Result cuEventDestroy_v2(cu::Event event) {
  return guarded([&](State& state) {
    object(state.events, event);
    state.events.erase(event);
  });
}

BINDRT_DRIVER_API cu::Result cuEventRecord(cu::Event event, cu::Stream stream) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    EventState& found = object(state.events, event, context);
    const StreamState& in = state.stream(stream);
    if (in.capture != nullptr) {
      const auto mark = std::make_shared<Mark>();
      state.push(stream, {[] {}, nullptr, mark});
      found.mark = nullptr;
      found.captured = Captured{in.capture, in.branch, in.capture->branches.at(in.branch).work.size(), mark};
      return;
    }
    found.captured.reset();
    found.mark = std::make_shared<Mark>();
    state.push(stream, {[] {}, nullptr, found.mark});
  });
}

BINDRT_DRIVER_API cu::Result cuEventQuery(cu::Event event) {
  return guarded([&](State& state) {
    const EventState& found = object(state.events, event, state.current());
    refuse_event(found);
    state.step();
    state.current();
    if (found.mark != nullptr && !found.mark->passed) {
      throw Refusal{cu::kNotReady};
    }
  });
}

BINDRT_DRIVER_API cu::Result cuEventSynchronize(cu::Event event) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    const EventState& found = object(state.events, event, context);
    if (found.captured.has_value()) {
      if (const auto capture = found.captured->capture.lock()) {
        capture->valid = false;
      }
      throw Refusal{kCapturedEvent};
    }
    const std::shared_ptr<Mark> mark =
        found.mark;  // of this record: the event may be recorded again meanwhile
    state.run_until(context, [&mark] { return mark == nullptr || mark->passed; });
  });
}

// Never a time: it would say nothing of a GPU's.
BINDRT_DRIVER_API cu::Result cuEventElapsedTime(float*, cu::Event begin, cu::Event end) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    for (const cu::Event event : {begin, end}) {
      const EventState& found = object(state.events, event, context);
      if (!found.timing || found.mark == nullptr) {
        throw Refusal{kInvalidHandle};
      }
      if (!found.mark->passed) {
        throw Refusal{cu::kNotReady};
      }
    }
    throw Refusal{cu::kNotSupported};
  });
}
