// Copies of what programs push: of a frame, without the caches.
#pragma once

#include <cstddef>

namespace bindrt::live {

// Rows of numbers in a program's memory.
struct Rows {
  const std::byte* data;
  std::ptrdiff_t count;
  std::size_t size;       // bytes of a row
  std::ptrdiff_t stride;  // bytes from a row to the next; any, also below 0

  std::size_t bytes() const noexcept { return static_cast<std::size_t>(count) * size; }
};

// Writes the rows one after the other. They do not overlap `to`.
void copy(const Rows& rows, std::byte* to) noexcept;

}  // namespace bindrt::live
