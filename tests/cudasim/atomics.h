// Atomic operations. They are functions of the simulator, so that the race check is told that the access
// is atomic; they return the old value.
#pragma once

#include <cstdint>
#include <source_location>

namespace bindrt::cudasim {

// Before an atomic access: aligned, in device memory, no race with a plain access. `code` is where.
void atomic_access(const void* address, std::size_t bytes, const void* code,
                   const std::source_location& where);

// Not instrumented by the race check, which knows of the access already.
template <class T, class Change>
__attribute__((no_sanitize("thread"), noinline)) T atomic_change(T* address, Change change,
                                                                 const std::source_location& where) {
  atomic_access(address, sizeof(T), __builtin_return_address(0), where);
  const T old = *address;
  *address = change(old);
  return old;
}

}  // namespace bindrt::cudasim

#define BINDRT_ATOMIC(name, type, expression)                                                           \
  [[gnu::always_inline]] inline type name(                                                              \
      type* address, type value, const std::source_location& where = std::source_location::current()) { \
    return ::bindrt::cudasim::atomic_change(                                                            \
        address, [value](type old) -> type { return static_cast<type>(expression); }, where);           \
  }
#define BINDRT_ATOMIC_INTEGERS(name, expression) \
  BINDRT_ATOMIC(name, int, expression)           \
  BINDRT_ATOMIC(name, unsigned int, expression)  \
  BINDRT_ATOMIC(name, unsigned long long, expression)

BINDRT_ATOMIC(atomicAdd, int, static_cast<unsigned>(old) + static_cast<unsigned>(value))
BINDRT_ATOMIC(atomicAdd, unsigned int, old + value)
BINDRT_ATOMIC(atomicAdd, unsigned long long, old + value)
BINDRT_ATOMIC(atomicAdd, float, old + value)
BINDRT_ATOMIC(atomicAdd, double, old + value)
BINDRT_ATOMIC(atomicSub, int, static_cast<unsigned>(old) - static_cast<unsigned>(value))
BINDRT_ATOMIC(atomicSub, unsigned int, old - value)
BINDRT_ATOMIC_INTEGERS(atomicMin, old < value ? old : value)
BINDRT_ATOMIC_INTEGERS(atomicMax, old < value ? value : old)
BINDRT_ATOMIC_INTEGERS(atomicAnd, old& value)
BINDRT_ATOMIC_INTEGERS(atomicOr, old | value)
BINDRT_ATOMIC_INTEGERS(atomicXor, old ^ value)
BINDRT_ATOMIC_INTEGERS(atomicExch, (static_cast<void>(old), value))
BINDRT_ATOMIC(atomicExch, float, (static_cast<void>(old), value))
BINDRT_ATOMIC(atomicInc, unsigned int, old >= value ? 0U : old + 1U)
#undef BINDRT_ATOMIC_INTEGERS
#undef BINDRT_ATOMIC

template <class T>
[[gnu::always_inline]] inline T atomicCAS(
    T* address, T expected, T value, const std::source_location& where = std::source_location::current()) {
  return ::bindrt::cudasim::atomic_change(
      address, [expected, value](T old) { return old == expected ? value : old; }, where);
}
