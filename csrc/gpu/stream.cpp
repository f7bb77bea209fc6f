// Makes streams and events of a context.
#include "csrc/gpu/stream.h"

namespace bindrt::gpu {
namespace {

// The answer of a query, which is an error if the work before it failed.
bool done(const Context& context, const char* what, cu::Result result) {
  if (result != cu::kSuccess && result != cu::kNotReady) {
    context.driver().fail(what, result);
  }
  return result == cu::kSuccess;
}

}  // namespace

Event::Event(const Context& context, Timing timing, Waiting waiting) : context_(context) {
  context.call("cuEventCreate", &cu::Api::event_create, &handle_,
               (timing == Timing::kOn ? 0U : cu::kEventDisableTiming) |
                   (waiting == Waiting::kSleep ? cu::kEventBlockingSync : 0U));
}

Event::~Event() { context_.ask(&cu::Api::event_destroy, handle_); }

void Event::record(const Stream& stream) {
  context_.call("cuEventRecord", &cu::Api::event_record, handle_, stream.handle());
}

bool Event::passed() const {
  const Context::Current current(context_);
  return done(context_, "cuEventQuery", context_.driver().ask(&cu::Api::event_query, handle_));
}

void Event::wait() const { context_.call("cuEventSynchronize", &cu::Api::event_synchronize, handle_); }

float Event::milliseconds_since(const Event& earlier) const {
  float milliseconds = 0.0F;
  context_.call("cuEventElapsedTime", &cu::Api::event_elapsed, &milliseconds, earlier.handle_, handle_);
  return milliseconds;
}

Stream::Stream(const Context& context) : context_(context) {
  context.call("cuStreamCreate", &cu::Api::stream_create, &handle_, cu::kStreamNonBlocking);
}

Stream::~Stream() {
  if (owned_) {
    context_.ask(&cu::Api::stream_destroy, handle_);
  }
}

void Stream::wait() const { context_.call("waiting for the GPU", &cu::Api::stream_synchronize, handle_); }

void Stream::wait_for(const Event& event) {
  context_.call("cuStreamWaitEvent", &cu::Api::stream_wait, handle_, event.handle(), 0U);
}

bool Stream::idle() const {
  const Context::Current current(context_);
  return done(context_, "cuStreamQuery", context_.driver().ask(&cu::Api::stream_query, handle_));
}

}  // namespace bindrt::gpu
