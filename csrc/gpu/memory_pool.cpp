// Keeps blocks of few sizes, so that one fits the next item too.
#include "csrc/gpu/memory_pool.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace bindrt::gpu {
namespace {

constexpr std::size_t kLeast = std::size_t{64} << 10;

}  // namespace

// The next size with three binary digits: at most a quarter too large.
template <class Memory>
std::size_t MemoryPool<Memory>::rounded(std::size_t bytes) noexcept {
  const std::size_t step = std::bit_floor(std::max(bytes, kLeast)) / 4;
  return (std::max(bytes, kLeast) + step - 1) / step * step;
}

template <class Memory>
std::shared_ptr<std::byte> MemoryPool<Memory>::take(std::size_t bytes) noexcept {
  if (bytes > most_) {
    return nullptr;
  }
  const std::size_t size = rounded(bytes);
  try {
    Kept over;  // freed without the mutex
    auto owner = std::make_shared<Memory>();
    *owner = find(size, over);
    auto* const data = static_cast<std::byte*>(owner->data());
    if (data == nullptr) {
      return nullptr;
    }
    return {data,
            [pool = this->shared_from_this(), owner](std::byte*) { pool->give_back(std::move(*owner)); }};
  } catch (...) {
    return nullptr;
  }
}

// None where there is no room.
template <class Memory>
Memory MemoryPool<Memory>::find(std::size_t size, Kept& over) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.lower_bound(size);
    if (found != kept_.end() && found->first <= 2 * size) {
      Memory memory = std::move(found->second);
      kept_.erase(found);
      return memory;
    }
    while (held_ + size > most_ && !kept_.empty()) {
      held_ -= kept_.begin()->first;
      over.insert(kept_.extract(kept_.begin()));
    }
    if (held_ + size > most_) {
      return {};
    }
    held_ += size;
  }
  try {
    return {context_, size};
  } catch (...) {
    const std::lock_guard lock(mutex_);
    held_ -= size;
    throw;
  }
}

template <class Memory>
void MemoryPool<Memory>::give_back(Memory memory) noexcept {
  const std::size_t size = memory.bytes();
  const std::lock_guard lock(mutex_);
  try {
    kept_.emplace(size, std::move(memory));
  } catch (...) {
    held_ -= size;
  }
}

template class MemoryPool<PinnedMemory>;
template class MemoryPool<DeviceMemory>;

}  // namespace bindrt::gpu
