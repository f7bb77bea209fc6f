// Copies rows; large ones past the caches.
#include "csrc/live/copy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace bindrt::live {
namespace {

constexpr std::size_t kLarge = 64 << 10;  // bytes from which a copy leaves the caches alone

// As memcpy. What is written goes past the caches: the memory is not read first, which takes a third of the
// time, and what the model has in the caches stays there.
void copy_past_caches(std::byte* to, const std::byte* from, std::size_t size) noexcept {
#if defined(__SSE2__)
  const std::size_t head = std::min((16 - reinterpret_cast<std::uintptr_t>(to) % 16) % 16, size);
  std::memcpy(to, from, head);
  std::size_t at = head;
  for (; at + 16 <= size; at += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + at),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at)));
  }
  std::memcpy(to + at, from + at, size - at);
#else
  std::memcpy(to, from, size);
#endif
}

// What was written past the caches is there before anything that is written later.
void end_copies() noexcept {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace

void copy(const Rows& rows, std::byte* to) noexcept {
  const std::size_t bytes = rows.bytes();
  if (bytes == 0) {
    return;
  }
  const bool is_whole = rows.count == 1 || rows.stride == static_cast<std::ptrdiff_t>(rows.size);
  const std::ptrdiff_t count = is_whole ? 1 : rows.count;
  const std::size_t size = is_whole ? bytes : rows.size;
  const bool is_large = bytes >= kLarge;
  for (std::ptrdiff_t row = 0; row < count; ++row) {
    const std::byte* const from = rows.data + row * rows.stride;
    std::byte* const at = to + static_cast<std::size_t>(row) * size;
    is_large ? copy_past_caches(at, from, size) : static_cast<void>(std::memcpy(at, from, size));
  }
  if (is_large) {
    end_copies();
  }
}

}  // namespace bindrt::live
