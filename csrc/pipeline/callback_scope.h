// Marks that the calling thread is inside a callback of some pipeline, which must not wait for its own end.
#pragma once

namespace bindrt::pipeline {

class CallbackScope {
 public:
  CallbackScope() noexcept { ++depth; }
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;
  ~CallbackScope() { --depth; }

  static bool inside() noexcept { return depth > 0; }

 private:
  static thread_local int depth;
};

}  // namespace bindrt::pipeline
