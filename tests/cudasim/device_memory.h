// The simulated device's memory: blocks of exact sizes between guard zones, filled with poison.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace bindrt::cudasim {

// One allocation. AddressSanitizer reports any access to its guards; without it check_guards() finds writes.
class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t bytes);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() const;  // aligned to 256 bytes
  std::size_t bytes() const { return bytes_; }

  // Throws Failure if something was written before or after the memory.
  void check_guards() const;

 private:
  struct Free {
    void operator()(unsigned char* memory) const;
  };
  std::size_t bytes_;
  std::unique_ptr<unsigned char, Free> memory_;  // with the guards
};

// From the host into device memory and back. Failure if the device's side is not all in one allocation,
// or, under the race check, if bytes that nothing wrote are copied back.
void copy_to_device(void* device, const void* host, std::size_t bytes);
void copy_from_device(void* host, const void* device, std::size_t bytes);

// Guards of all allocations.
void check_all_guards();

}  // namespace bindrt::cudasim
