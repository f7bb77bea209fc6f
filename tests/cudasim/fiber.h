// Stacks of their own for a kernel's threads, switched by hand on one thread of the system.
#pragma once

#include <cstddef>

// By hand on x86-64, which is several times faster; BINDRT_CUDASIM_UCONTEXT is to try the other way there.
#if defined(__x86_64__) && !defined(BINDRT_CUDASIM_UCONTEXT)
#define BINDRT_CUDASIM_OWN_SWITCH 1
#else
#include <ucontext.h>
#endif

namespace bindrt::cudasim {

// A flow of control: the one that launches (default constructed, on its own stack), or one with a stack
// from the pool. Not destroyed while suspended.
class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Lets `entry`, which must never return, start when this is switched to. Takes a stack at the first
  // call and keeps it; what ran on it before is forgotten.
  void prepare(void (*entry)());

  // Goes on with `to`; returns when somebody switches back.
  void switch_to(Fiber& to);

  // First thing of an entry, which `from` switched to.
  static void entered(Fiber& from);

  bool on_stack(const void* address) const;

 private:
  void* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
  void* fake_stack_ = nullptr;  // AddressSanitizer's
#if defined(BINDRT_CUDASIM_OWN_SWITCH)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_{};
#endif
};

}  // namespace bindrt::cudasim
