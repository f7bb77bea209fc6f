// Memory that is used again: the driver takes milliseconds to allocate it, and may wait for the device.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "csrc/gpu/memory.h"

namespace bindrt::gpu {

// `Memory` is PinnedMemory or DeviceMemory. Thread-safe. Owned by shared_ptr alone: what is taken keeps it.
template <class Memory>
class MemoryPool : public std::enable_shared_from_this<MemoryPool<Memory>> {
 public:
  // Bytes that are allocated for so many.
  static std::size_t rounded(std::size_t bytes) noexcept;

  // At most `most` bytes, taken and kept together. The context must outlive it.
  MemoryPool(const Context& context, std::size_t most) : context_(context), most_(most) {}

  // At least so many bytes, aligned as the driver does it; null where that would be too many, or the driver
  // has none.
  std::shared_ptr<std::byte> take(std::size_t bytes) noexcept;

 private:
  using Kept = std::multimap<std::size_t, Memory>;  // by bytes

  Memory find(std::size_t bytes, Kept& over);
  void give_back(Memory memory) noexcept;

  const Context& context_;
  const std::size_t most_;
  std::mutex mutex_;
  std::size_t held_ = 0;  // bytes
  Kept kept_;             // that nobody has
};

using PinnedPool = MemoryPool<PinnedMemory>;
using DevicePool = MemoryPool<DeviceMemory>;

}  // namespace bindrt::gpu
