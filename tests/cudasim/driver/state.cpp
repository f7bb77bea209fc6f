// What the simulated driver knows: contexts, streams, events, memory.
#include "tests/cudasim/driver/state.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sstream>
#include <stdexcept>

#include "tests/cudasim/failure.h"

namespace bindrt::cudasim::driver {
namespace {

int number(const std::string& text, const std::string& word) {
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value < 0) {
    throw std::invalid_argument("BINDRT_CUDASIM_DEVICE: '" + word + "' is not NAME=NUMBER");
  }
  return value;
}

}  // namespace

Machine parse_machine(const std::string& text) {
  Machine machine;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const int value = number(equals == std::string::npos ? "" : word.substr(equals + 1), word);
    if (name == "count") {
      machine.count = value;
    } else if (name == "capability") {
      machine.capability = value;
    } else if (name == "memory") {
      machine.memory = static_cast<std::size_t>(value) << 20;
    } else if (name == "cuda") {
      machine.cuda = value;
    } else if (name == "ptx") {
      machine.ptx = value;
    } else if (name == "cubins") {
      machine.cubins = value != 0;
    } else if (name == "spoils") {
      machine.spoils = value;
    } else if (name == "pinned") {
      machine.pinned = static_cast<std::size_t>(value) << 20;
    } else if (name == "lost") {
      machine.lost = value;
    } else {
      throw std::invalid_argument("BINDRT_CUDASIM_DEVICE: no setting '" + name + "'");
    }
  }
  return machine;
}

State::State() : random(options().seed) {
  const char* const text = std::getenv("BINDRT_CUDASIM_DEVICE");
  machine = parse_machine(text == nullptr ? "" : text);
}

State& State::instance() {
  static State& state = *new State();  // outlives static destructors, as a driver does
  return state;
}

std::vector<ContextState*>& State::stack() {
  static thread_local std::vector<ContextState*> contexts_of_thread;
  return contexts_of_thread;
}

void State::refuse_in_child() const {
  if (started != 0 && started != ::getpid()) {
    throw Refusal{cu::kNotInitialized};
  }
}

ContextState& State::current() {
  if (started == 0) {
    throw Refusal{cu::kNotInitialized};
  }
  if (stack().empty()) {
    throw Refusal{kInvalidContext};
  }
  ContextState& context = *stack().back();
  if (context.lost != cu::kSuccess) {
    throw Refusal{context.lost};
  }
  return context;
}

StreamState& State::stream(cu::Stream handle) {
  ContextState& context = current();
  const auto number = reinterpret_cast<std::uintptr_t>(handle);
  if (number != kLegacyStream && number != kStreamOfThread) {
    return object(streams, handle, context);
  }
  const bool of_thread = number == kStreamOfThread;
  StreamState*& found = defaults_[{&context, of_thread ? std::this_thread::get_id() : std::thread::id()}];
  if (found == nullptr) {
    auto made = std::make_unique<StreamState>(StreamState{&context, {}});
    found = made.get();
    streams.emplace(found, std::move(made));
  }
  return *found;
}

bool State::step() {
  std::vector<StreamState*> ready;
  const auto look = [&ready](StreamState& stream) {
    if (!stream.busy && !stream.work.empty() &&
        (stream.work.front().after == nullptr || stream.work.front().after->passed)) {
      ready.push_back(&stream);
    }
  };
  for (const auto& [handle, stream] : streams) {
    look(*stream);
  }
  for (const auto& stream : orphans) {
    look(*stream);
  }
  if (ready.empty()) {
    return false;
  }
  run(*ready[random.below(static_cast<std::uint32_t>(ready.size()))]);
  return true;
}

void State::run(StreamState& stream) {
  const Work work = std::move(stream.work.front());
  stream.work.pop_front();
  try {
    if (work.of_host) {
      stream.busy = true;
      mutex.unlock();  // it may wait for threads that call the driver
      work.run();
      mutex.lock();
      stream.busy = false;
      host_done_.notify_all();
    } else {
      work.run();
    }
  } catch (const Failure& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    lose(*stream.context);
  }
  if (work.mark != nullptr) {
    work.mark->passed = true;
  }
}

// What a device does when a kernel fails: everything of its context ends, and nobody waits for it.
void State::lose(ContextState& context) {
  context.lost = machine.lost;
  const auto give_up = [&context](StreamState& stream) {
    if (stream.context != &context) {
      return;
    }
    for (const Work& work : stream.work) {
      if (work.mark != nullptr) {
        work.mark->passed = true;
      }
    }
    stream.work.clear();
  };
  for (const auto& [handle, stream] : streams) {
    give_up(*stream);
  }
  for (const auto& stream : orphans) {
    give_up(*stream);
  }
}

void State::run_until(ContextState& context, const std::function<bool()>& condition) {
  while (!condition()) {
    if (!step()) {
      if (!any_busy()) {
        throw Failure("a wait that never ends: the streams wait for each other");
      }
      host_done_.wait(mutex);
    } else {  // other threads may queue more in between
      mutex.unlock();
      std::this_thread::yield();
      mutex.lock();
    }
    if (context.lost != cu::kSuccess) {
      throw Refusal{context.lost};
    }
  }
}

bool State::has_work(const ContextState& context) const {
  for (const auto& [handle, stream] : streams) {
    if (stream->context == &context && !stream->idle()) {
      return true;
    }
  }
  for (const auto& stream : orphans) {
    if (stream->context == &context && !stream->idle()) {
      return true;
    }
  }
  return false;
}

bool State::any_busy() const {
  const auto busy = [](const StreamState& stream) { return stream.busy; };
  return std::any_of(streams.begin(), streams.end(), [&](const auto& each) { return busy(*each.second); }) ||
         std::any_of(orphans.begin(), orphans.end(), [&](const auto& each) { return busy(*each); });
}

void State::push(cu::Stream handle, Work work) {
  StreamState& stream = this->stream(handle);
  if (stream.capture == nullptr) {
    stream.work.push_back(std::move(work));
    return;
  }
  if (!stream.capture->valid) {
    throw Refusal{kCaptureInvalidated};
  }
  stream.capture->branches.at(stream.branch).work.push_back(std::move(work));
}

void State::refuse_captured(const StreamState& stream) const {
  if (stream.capture != nullptr) {
    stream.capture->valid = false;
    throw Refusal{kCaptureUnsupported};
  }
}

void State::refuse_in_capture() const {
  bool forbidden = false;
  for (const auto& [handle, stream] : streams) {
    Capture* const capture = stream->capture.get();
    if (capture != nullptr &&
        (capture->mode == cu::kCaptureGlobal ||
         (capture->mode == cu::kCaptureThreadLocal && capture->thread == std::this_thread::get_id()))) {
      capture->valid = false;
      forbidden = true;
    }
  }
  if (forbidden) {
    throw Refusal{kCaptureUnsupported};
  }
}

std::size_t State::used() const {
  std::size_t sum = 0;
  for (const auto& context : contexts) {
    sum += context->used;
  }
  return sum;
}

bool State::is_pinned(const void* host, std::size_t bytes) const {
  auto* const begin = static_cast<std::byte*>(const_cast<void*>(host));
  auto after = pinned.upper_bound(begin);
  if (after == pinned.begin()) {
    return false;
  }
  const auto& [start, block] = *--after;
  const auto offset = static_cast<std::size_t>(begin - start);
  return offset <= block.size() && bytes <= block.size() - offset;
}

cu::Result guarded(const std::function<void(State&)>& body) noexcept {
  State& state = State::instance();
  const std::lock_guard lock(state.mutex);
  try {
    state.refuse_in_child();
    body(state);
    return cu::kSuccess;
  } catch (const Refusal& refusal) {
    return refusal.code;
  } catch (const std::bad_alloc&) {
    return cu::kOutOfMemory;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cudasim: %s\n", error.what());
    return kInvalidValue;
  }
}

}  // namespace bindrt::cudasim::driver
