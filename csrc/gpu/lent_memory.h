// Device memory that another library owns, and writes on a stream of its own.
#pragma once

#include <memory>

#include "csrc/gpu/stream.h"
#include "kernels/base/lent.h"

namespace bindrt::gpu {

// The memory stays as it is until the request that reads it is delivered.
class LentMemory final : public kernels::Lent {
 public:
  // Once `ready` has passed the memory is written; null: it is.
  LentMemory(int device, cu::Pointer address, std::size_t bytes, std::shared_ptr<const Event> ready)
      : Lent(reinterpret_cast<const void*>(address), bytes), device_(device), ready_(std::move(ready)) {}

  cu::Pointer address() const noexcept { return reinterpret_cast<cu::Pointer>(data()); }

  void wait(kernels::GpuQueue& queue) const override;  // a StreamQueue
  bool read(void* host) const noexcept override;

 private:
  const int device_;
  const std::shared_ptr<const Event> ready_;
};

}  // namespace bindrt::gpu
