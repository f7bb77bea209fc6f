// Memory of a device, and host memory that the device reads without a detour.
#pragma once

#include <cstddef>

#include "csrc/gpu/context.h"

namespace bindrt::gpu {

// Device memory, aligned to at least 256 bytes; its content is not defined. Allocating and freeing may wait
// for the device: keep it. Freed by its destructor, which must not run before the work that uses it is done.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(const Context& context, std::size_t bytes);  // Error says how much was free
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceMemory();

  void* data() const noexcept { return reinterpret_cast<void*>(address_); }
  cu::Pointer address() const noexcept { return address_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  void swap(DeviceMemory& other) noexcept;

  const Context* context_ = nullptr;
  cu::Pointer address_ = 0;
  std::size_t bytes_ = 0;
};

// Page-locked host memory, for all contexts.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  PinnedMemory(const Context& context, std::size_t bytes);
  PinnedMemory(PinnedMemory&& other) noexcept { swap(other); }
  PinnedMemory& operator=(PinnedMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~PinnedMemory();

  std::byte* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  void swap(PinnedMemory& other) noexcept;

  const Context* context_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace bindrt::gpu
