// Asks the driver what a device is.
#include "csrc/gpu/device.h"

#include <array>

namespace bindrt::gpu {
namespace {

int attribute(const Driver& driver, cu::Device device, int which) {
  int value = 0;
  driver.call("cuDeviceGetAttribute", &cu::Api::device_attribute, &value, which, device);
  return value;
}

// Some drivers no longer tell the memory clock.
double bandwidth(const Driver& driver, cu::Device device) {
  int kilohertz = 0;
  int bits = 0;
  if (driver.ask(&cu::Api::device_attribute, &kilohertz, cu::kMemoryClockRate, device) != cu::kSuccess ||
      driver.ask(&cu::Api::device_attribute, &bits, cu::kMemoryBusWidth, device) != cu::kSuccess) {
    return 0.0;
  }
  constexpr double kTransfersPerClock = 2.0;
  return kTransfersPerClock * 1e3 * kilohertz * bits / 8.0;
}

}  // namespace

DeviceInfo device_info(const Driver& driver, int index) {
  if (!driver.usable()) {
    throw refusal("no GPU: " + driver.problem());
  }
  if (index < 0 || index >= driver.device_count()) {
    throw refusal("there is no GPU " + std::to_string(index) + "; this machine has " +
                  std::to_string(driver.device_count()) + ", counted from 0");
  }
  DeviceInfo info;
  info.index = index;
  driver.call("cuDeviceGet", &cu::Api::device_get, &info.handle, index);
  std::array<char, 256> name{};
  driver.call("cuDeviceGetName", &cu::Api::device_name, name.data(), static_cast<int>(name.size()) - 1,
              info.handle);
  info.name = name.data();
  info.capability =
      10 * attribute(driver, info.handle, cu::kMajor) + attribute(driver, info.handle, cu::kMinor);
  driver.call("cuDeviceTotalMem", &cu::Api::device_memory, &info.memory, info.handle);
  info.multiprocessors = attribute(driver, info.handle, cu::kMultiprocessors);
  info.max_threads = attribute(driver, info.handle, cu::kMaxThreadsPerBlock);
  info.shared = static_cast<std::size_t>(attribute(driver, info.handle, cu::kMaxSharedPerBlock));
  info.integrated = attribute(driver, info.handle, cu::kIntegrated) != 0;
  info.bandwidth = bandwidth(driver, info.handle);
  return info;
}

std::string capability_text(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

}  // namespace bindrt::gpu
