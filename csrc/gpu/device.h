// Properties of a device.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "csrc/gpu/driver.h"

namespace bindrt::gpu {

struct DeviceInfo {
  int index = 0;
  cu::Device handle = 0;
  std::string name;
  int capability = 0;      // 89 is 8.9, 120 is 12.0
  std::size_t memory = 0;  // bytes
  int multiprocessors = 0;
  int max_threads = 0;      // threads of a block
  std::size_t shared = 0;   // bytes of shared memory that a block may use, static and dynamic
  bool integrated = false;  // shares its memory with the host, as on Jetson
  double bandwidth =
      0.0;  // bytes a second of its memory, as the driver's clock and width give it; 0: unknown
};

// Throws Error if there is no such device.
DeviceInfo device_info(const Driver& driver, int index);

// "8.9"
std::string capability_text(int capability);

}  // namespace bindrt::gpu
