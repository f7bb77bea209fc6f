// Device memory that somebody else owns, and may still be writing on a stream of their own.
#pragma once

#include <memory>
#include <utility>

#include "csrc/gpu/stream.h"
#include "kernels/base/lent.h"

namespace bindrt::gpu {

// The memory stays as it is until the request that reads it is delivered.
class LentMemory final : public kernels::Lent {
 public:
  // Once `ready` has passed the memory is written; null: it is. `owner` keeps the memory; null: others do.
  // The context, whose device it is, must outlive it.
  LentMemory(const Context& context, cu::Pointer address, std::size_t bytes,
             std::shared_ptr<const Event> ready, std::shared_ptr<const void> owner = nullptr)
      : Lent(reinterpret_cast<const void*>(address), bytes),
        context_(context),
        ready_(std::move(ready)),
        owner_(std::move(owner)) {}

  cu::Pointer address() const noexcept { return reinterpret_cast<cu::Pointer>(data()); }

  void wait(kernels::GpuQueue& queue) const override;  // a StreamQueue
  bool read(void* host) const noexcept override;

 private:
  void let_wait(Stream& stream) const;

  const Context& context_;
  const std::shared_ptr<const Event> ready_;
  const std::shared_ptr<const void> owner_;
};

}  // namespace bindrt::gpu
