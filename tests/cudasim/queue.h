// The simulator as an op's host side sees it, and what tests need besides.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kernels/base/gpu.h"
#include "tests/cudasim/device_memory.h"
#include "tests/cudasim/failure.h"
#include "tests/cudasim/options.h"

namespace bindrt::cudasim {

// Does everything at once. Throws Failure where a kernel does wrong.
class SimQueue : public kernels::GpuQueue {
 public:
  using kernels::GpuQueue::launch;

  void* scratch(std::size_t bytes) override;
  void upload(void* device, const void* host, std::size_t bytes) override;
  void launch(const char* kernel, const kernels::LaunchShape& shape, const void* params,
              std::size_t params_bytes) override;

  // Frees the scratch memory: as if its owner used it again for other work.
  void clear() { scratch_.clear(); }

  std::size_t launches() const { return launches_; }

 private:
  std::vector<std::unique_ptr<DeviceMemory>> scratch_;
  std::size_t launches_ = 0;
};

// An array in device memory: a test's input, or the batch that a kernel writes.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count), memory_(count * sizeof(T)) {}
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    copy_to_device(data(), values.data(), count_ * sizeof(T));
  }

  T* data() const { return static_cast<T*>(memory_.data()); }
  std::size_t size() const { return count_; }

  std::vector<T> download() const {
    std::vector<T> values(count_);
    copy_from_device(values.data(), data(), count_ * sizeof(T));
    return values;
  }

 private:
  std::size_t count_;
  DeviceMemory memory_;
};

}  // namespace bindrt::cudasim
