// A loop shared out over threads that are started once.
#pragma once

#include <cstdint>
#include <type_traits>

namespace bindrt::kernels {

namespace detail {
using LoopBody = void (*)(void* context, std::int64_t begin, std::int64_t end);
void parallel_loop(std::int64_t count, std::int64_t grain, int threads, LoopBody body,
                   void* context) noexcept;
}  // namespace detail

// Calls `body(begin, end)` for pieces of at most `grain` that together cover [0, count), on at most `threads`
// threads, the caller's among them; returns when all are done. Allocates nothing after the threads have been
// started. If another call has the threads, this one runs alone. `body` must not throw.
template <class Body>
void parallel_for(std::int64_t count, std::int64_t grain, int threads, Body&& body) noexcept {
  using Plain = std::remove_reference_t<Body>;
  detail::parallel_loop(
      count, grain, threads,
      [](void* context, std::int64_t begin, std::int64_t end) {
        (*static_cast<Plain*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace bindrt::kernels
