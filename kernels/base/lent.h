// Memory of a device that somebody else owns, with an item that is there already.
#pragma once

#include <cstddef>

#include "kernels/base/gpu.h"

namespace bindrt::kernels {

class Lent {
 public:
  Lent(const void* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  virtual ~Lent() = default;

  const std::byte* data() const noexcept { return static_cast<const std::byte*>(data_); }  // on the device
  std::size_t bytes() const noexcept { return bytes_; }

  // What is queued from now on comes after the owner's work that writes the memory. The queue is one of the
  // same device. Throws as the queue does.
  virtual void wait(GpuQueue& queue) const = 0;

  // Copies it to the host, once it is written. False if that failed.
  virtual bool read(void* host) const noexcept = 0;

 private:
  const void* const data_;
  const std::size_t bytes_;
};

}  // namespace bindrt::kernels
