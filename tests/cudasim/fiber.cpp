// Switches between fibers.
#include "tests/cudasim/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace bindrt::cudasim {
namespace {

constexpr std::size_t kStackBytes = std::size_t{256} << 10;  // sanitizers make frames several times larger

// The stack, above a page that traps an overflow. Never unmapped: fibers are reused, and LeakSanitizer
// must be able to read what is on them.
void* new_stack() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, kStackBytes + page, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) {
    throw std::bad_alloc();
  }
  return static_cast<std::byte*>(memory) + page;
}

}  // namespace

#if defined(BINDRT_CUDASIM_OWN_SWITCH)
// Saves what a function must preserve, and goes on where the other stack stopped.
extern "C" void bindrt_cudasim_switch(void** save, void* load);
asm(R"(
.text
.type bindrt_cudasim_switch, @function
.hidden bindrt_cudasim_switch
.globl bindrt_cudasim_switch
bindrt_cudasim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size bindrt_cudasim_switch, .-bindrt_cudasim_switch
)");
#endif

void Fiber::prepare(void (*entry)()) {
  if (stack_ == nullptr) {
    stack_ = new_stack();
    stack_bytes_ = kStackBytes;
  }
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stack_, stack_bytes_);  // frames abandoned by a failure
#endif
  fake_stack_ = nullptr;
#if defined(BINDRT_CUDASIM_OWN_SWITCH)
  auto* top = reinterpret_cast<void**>(static_cast<std::byte*>(stack_) + stack_bytes_);
  *--top = nullptr;  // where the entry's return address would be: a backtrace ends here
  *--top = reinterpret_cast<void*>(entry);
  for (int saved = 0; saved < 6; ++saved) {
    *--top = nullptr;
  }
  stack_pointer_ = top;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = stack_bytes_;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
#endif
}

void Fiber::switch_to(Fiber& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fake_stack_, to.stack_, to.stack_bytes_);
#endif
#if defined(BINDRT_CUDASIM_OWN_SWITCH)
  bindrt_cudasim_switch(&stack_pointer_, to.stack_pointer_);
#else
  swapcontext(&context_, &to.context_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr);
#endif
}

void Fiber::entered([[maybe_unused]] Fiber& from) {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
  if (from.stack_ == nullptr) {  // the launching thread's own stack: needed to switch back
    from.stack_ = const_cast<void*>(bottom);
    from.stack_bytes_ = bytes;
  }
#endif
}

bool Fiber::on_stack(const void* address) const {
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  const auto begin = reinterpret_cast<std::uintptr_t>(stack_);
  return place >= begin && place < begin + stack_bytes_;
}

}  // namespace bindrt::cudasim
