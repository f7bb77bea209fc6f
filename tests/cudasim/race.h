// The race check: which thread wrote and read each byte of device and shared memory, and whether a
// barrier stands between. Built only with BINDRT_CUDASIM_RACE; else all of this does nothing.
//
// The kernels alone are compiled with -fsanitize=thread, and race_calls.cpp defines the functions that the
// compiler calls at each access: ThreadSanitizer's own are not linked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bindrt::cudasim::race {

#if defined(BINDRT_CUDASIM_RACE)

// From now on accesses to these bytes are checked; their content is not defined yet. Null: nothing.
void watch_global(const void* begin, std::size_t bytes);
void watch_shared(const void* begin, std::size_t bytes);  // undefined again in each block
void unwatch(const void* begin);

// Something other than a kernel wrote these bytes.
void written(const void* begin, std::size_t bytes);
// The first of these bytes that nothing wrote; `bytes` if all are written.
std::size_t first_unwritten(const void* begin, std::size_t bytes);

void begin_launch();
void begin_block();

// An access by the kernel's thread that runs; `code` is where. Reports races by the scheduler's fail().
void access(const void* address, std::size_t bytes, bool write, bool atomic, const void* code);

#else

inline void watch_global(const void*, std::size_t) {}
inline void watch_shared(const void*, std::size_t) {}
inline void unwatch(const void*) {}
inline void written(const void*, std::size_t) {}
inline std::size_t first_unwritten(const void*, std::size_t bytes) { return bytes; }
inline void begin_launch() {}
inline void begin_block() {}
inline void access(const void*, std::size_t, bool, bool, const void*) {}

#endif

}  // namespace bindrt::cudasim::race
