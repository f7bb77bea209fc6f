// Streams and events of a context.
#pragma once

#include "csrc/gpu/context.h"

namespace bindrt::gpu {

class Stream;

// A mark in a stream: passed once the work before it is done.
class Event {
 public:
  enum class Timing { kOff, kOn };
  enum class Waiting { kSpin, kSleep };  // what a thread does in wait()
  explicit Event(const Context& context, Timing timing = Timing::kOff, Waiting waiting = Waiting::kSpin);
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  void record(const Stream& stream);
  bool passed() const;  // true as well if it was never recorded
  void wait() const;    // until it is passed; throws if the work before it failed

  // Milliseconds on the device between two passed events that were made with timing.
  float milliseconds_since(const Event& earlier) const;

  cu::Event handle() const noexcept { return handle_; }

 private:
  const Context& context_;
  cu::Event handle_ = nullptr;
};

// A queue of the device. Does not wait for the default stream, nor that for this.
class Stream {
 public:
  explicit Stream(const Context& context);
  // Somebody else's, for example torch's; stays theirs.
  Stream(const Context& context, cu::Stream borrowed) noexcept
      : context_(context), handle_(borrowed), owned_(false) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();  // does not wait for the work

  void wait() const;                  // until its work is done; throws if that failed
  void wait_for(const Event& event);  // what is queued from now on starts when the event has passed
  bool idle() const;

  const Context& context() const noexcept { return context_; }
  cu::Stream handle() const noexcept { return handle_; }

 private:
  const Context& context_;
  cu::Stream handle_ = nullptr;
  bool owned_ = true;
};

}  // namespace bindrt::gpu
