// The functions that the compiler calls at each memory access under -fsanitize=thread: the race check, in
// place of ThreadSanitizer's. Their names are fixed by GCC and Clang.
#if defined(BINDRT_CUDASIM_RACE)

#include <cstddef>

#include "tests/cudasim/race.h"

#define BINDRT_ACCESS(name, bytes, write)                                                       \
  extern "C" [[gnu::visibility("default")]] void name(void* address);                           \
  void name(void* address) {                                                                    \
    ::bindrt::cudasim::race::access(address, bytes, write, false, __builtin_return_address(0)); \
  }
#define BINDRT_RANGE(name, write)                                                               \
  extern "C" [[gnu::visibility("default")]] void name(void* address, std::size_t bytes);        \
  void name(void* address, std::size_t bytes) {                                                 \
    ::bindrt::cudasim::race::access(address, bytes, write, false, __builtin_return_address(0)); \
  }

BINDRT_ACCESS(__tsan_read1, 1, false)
BINDRT_ACCESS(__tsan_read2, 2, false)
BINDRT_ACCESS(__tsan_read4, 4, false)
BINDRT_ACCESS(__tsan_read8, 8, false)
BINDRT_ACCESS(__tsan_read16, 16, false)
BINDRT_ACCESS(__tsan_write1, 1, true)
BINDRT_ACCESS(__tsan_write2, 2, true)
BINDRT_ACCESS(__tsan_write4, 4, true)
BINDRT_ACCESS(__tsan_write8, 8, true)
BINDRT_ACCESS(__tsan_write16, 16, true)
BINDRT_ACCESS(__tsan_unaligned_read2, 2, false)
BINDRT_ACCESS(__tsan_unaligned_read4, 4, false)
BINDRT_ACCESS(__tsan_unaligned_read8, 8, false)
BINDRT_ACCESS(__tsan_unaligned_read16, 16, false)
BINDRT_ACCESS(__tsan_unaligned_write2, 2, true)
BINDRT_ACCESS(__tsan_unaligned_write4, 4, true)
BINDRT_ACCESS(__tsan_unaligned_write8, 8, true)
BINDRT_ACCESS(__tsan_unaligned_write16, 16, true)
BINDRT_RANGE(__tsan_read_range, false)
BINDRT_RANGE(__tsan_write_range, true)

extern "C" {
[[gnu::visibility("default")]] void __tsan_init();
[[gnu::visibility("default")]] void __tsan_func_entry(void*);
[[gnu::visibility("default")]] void __tsan_func_exit();
}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

#endif
