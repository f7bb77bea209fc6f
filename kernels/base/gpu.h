// A device's queue, as the host side of an op sees it: a CUDA stream (csrc/gpu) or the simulator
// (tests/cudasim). An op's host side prepares tables and descriptors and launches its kernels; it never
// waits, and knows no driver.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/base/portable.h"

namespace bindrt::kernels {

inline constexpr std::int64_t kMostGridRows = 65535;  // blocks of a launch along y, or along z

struct LaunchShape {
  std::uint32_t grid_x = 1;
  std::uint32_t grid_y = 1;
  std::uint32_t grid_z = 1;
  std::uint32_t block_x = 1;
  std::uint32_t block_y = 1;
  std::uint32_t block_z = 1;
  std::uint32_t shared_bytes = 0;  // dynamic shared memory
};

// Calls `launch(first, count)` for all of `rows`, at most kMostGridRows at a time.
template <class Launch>
void in_grid_rows(std::int64_t rows, const Launch& launch) {
  for (std::int64_t first = 0; first < rows; first += kMostGridRows) {
    launch(first, static_cast<std::uint32_t>(std::min(kMostGridRows, rows - first)));
  }
}

// Where number `index` of `out` lies, which holds numbers of `type`.
inline void* number_at(void* out, OutType type, std::int64_t index) {
  const std::size_t bytes = type == OutType::kFloat32 ? sizeof(float) : sizeof(std::uint16_t);
  return static_cast<std::byte*>(out) + static_cast<std::size_t>(index) * bytes;
}

// Everything is done in the order of the calls. Failures throw std::runtime_error that says what failed.
class GpuQueue {
 public:
  GpuQueue() = default;
  GpuQueue(const GpuQueue&) = delete;
  GpuQueue& operator=(const GpuQueue&) = delete;
  virtual ~GpuQueue() = default;

  // Device memory, aligned to 256 bytes, for the work that follows; its owner decides when it is reused,
  // not before that work is done. Its content is not defined.
  virtual void* scratch(std::size_t bytes) = 0;

  // Copies from the host. The source may change as soon as the call returns.
  virtual void upload(void* device, const void* host, std::size_t bytes) = 0;

  // The same from page-locked memory that stays as it is until the work is done.
  virtual void upload_pinned(void* device, const void* host, std::size_t bytes) {
    upload(device, host, bytes);
  }

  // A table on the device with the bytes that `make` gives, which are the same for a key always. A queue may
  // keep it for later calls; it stays at least as long as scratch memory that is handed out now.
  virtual const void* table(const std::string& /*key*/, const std::function<std::vector<std::byte>()>& make) {
    const std::vector<std::byte> bytes = make();
    void* const device = scratch(bytes.size());
    upload(device, bytes.data(), bytes.size());
    return device;
  }

  // Launches the kernel of that name; its only parameter is a plain struct, copied by the call.
  virtual void launch(const char* kernel, const LaunchShape& shape, const void* params,
                      std::size_t params_bytes) = 0;

  template <class Params>
  void launch(const char* kernel, const LaunchShape& shape, const Params& params) {
    launch(kernel, shape, &params, sizeof(Params));
  }
};

// A copy of `count` values in scratch memory of the queue's device.
template <class T>
T* to_device(GpuQueue& queue, const T* values, std::size_t count) {
  void* const device = queue.scratch(count * sizeof(T));
  queue.upload(device, values, count * sizeof(T));
  return static_cast<T*>(device);
}
template <class T>
T* to_device(GpuQueue& queue, const std::vector<T>& values) {
  return to_device(queue, values.data(), values.size());
}

}  // namespace bindrt::kernels
