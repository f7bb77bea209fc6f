// What an item that is left to a device was decoded to: in memory that the device reads, or there already.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "kernels/base/gpu.h"
#include "kernels/base/lent.h"

namespace bindrt::prepare {

class LeftBytes {
 public:
  LeftBytes() = default;
  // A device's room, see Slots; no bytes if it is null.
  LeftBytes(std::shared_ptr<std::byte> room, std::size_t bytes) : room_(std::move(room)), bytes_(bytes) {}
  explicit LeftBytes(std::shared_ptr<const kernels::Lent> lent) : lent_(std::move(lent)) {}

  explicit operator bool() const noexcept { return room_ != nullptr || lent_ != nullptr; }
  std::byte* room() const noexcept { return room_.get(); }  // null for those that are there

  // Where they lie on the queue's device, for what is queued next.
  const std::byte* on(kernels::GpuQueue& queue) const {
    if (lent_ != nullptr) {
      lent_->wait(queue);
      return lent_->data();
    }
    void* const device = queue.scratch(bytes_);
    queue.upload_pinned(device, room_.get(), bytes_);
    return static_cast<const std::byte*>(device);
  }

  // Calls `use` with the bytes on the host, and returns what it does. False if they do not come here.
  template <class Use>
  bool here(const Use& use) const noexcept {
    try {
      if (lent_ == nullptr) {
        return use(static_cast<const std::byte*>(room_.get()));
      }
      const auto copy = std::make_unique_for_overwrite<std::byte[]>(lent_->bytes());
      return lent_->read(copy.get()) && use(static_cast<const std::byte*>(copy.get()));
    } catch (...) {
      return false;
    }
  }

 private:
  std::shared_ptr<std::byte> room_;
  std::size_t bytes_ = 0;
  std::shared_ptr<const kernels::Lent> lent_;
};

}  // namespace bindrt::prepare
