// The simulated driver's functions about streams and events. Nothing is done before somebody waits for it or
// asks; then the streams' work is done in an order by chance, within what streams and events demand.
#include "tests/cudasim/driver/state.h"

using namespace bindrt::cudasim::driver;

namespace {

void refuse_event(const EventState& event) {
  if (event.captured_in != nullptr) {
    throw Refusal{kCapturedEvent};
  }
}

}  // namespace

BINDRT_DRIVER_API cu::Result cuStreamCreate(cu::Stream* stream, unsigned flags) {
  return guarded([&](State& state) {
    if (flags > cu::kStreamNonBlocking) {
      throw Refusal{kInvalidValue};
    }
    auto made = std::make_unique<StreamState>(StreamState{&state.current(), {}, false, nullptr});
    *stream = reinterpret_cast<cu::Stream>(made.get());
    state.streams.emplace(made.get(), std::move(made));
  });
}

// The work that is queued is still done, some time.
BINDRT_DRIVER_API cu::Result cuStreamDestroy_v2(cu::Stream stream) {
  return guarded([&](State& state) {
    object(state.streams, stream);
    auto node = state.streams.extract(stream);
    if (!node.mapped()->idle()) {
      state.orphans.push_back(std::move(node.mapped()));
    }
  });
}

BINDRT_DRIVER_API cu::Result cuStreamSynchronize(cu::Stream stream) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    const StreamState& found = object(state.streams, stream, context);
    state.refuse_captured(found);
    state.run_until(context, [&found] { return found.idle(); });
  });
}

BINDRT_DRIVER_API cu::Result cuStreamQuery(cu::Stream stream) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    const StreamState& found = object(state.streams, stream, context);
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
    StreamState& waiting = object(state.streams, stream, state.current());
    const EventState& found = object(state.events, event);  // may be another context's
    if (flags != 0) {
      throw Refusal{kInvalidValue};
    }
    if (found.captured_in == &waiting && waiting.capture != nullptr) {
      return;  // work before it in the same recording
    }
    if (found.mark == nullptr && found.captured_in == nullptr) {
      return;
    }
    if (waiting.capture != nullptr) {
      waiting.capture->valid = false;
      throw Refusal{kCaptureIsolation};
    }
    if (found.captured_in != nullptr) {  // would make this stream part of the recording: not simulated
      throw Refusal{cu::kNotSupported};
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
    auto made = std::make_unique<EventState>(EventState{&state.current(), timing, nullptr});
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
    const StreamState& in = object(state.streams, stream, context);
    if (in.capture != nullptr) {
      state.push(stream, {[] {}, nullptr, nullptr});
      found.mark = nullptr;
      found.captured_in = &in;
      return;
    }
    found.captured_in = nullptr;
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
    refuse_event(found);
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
