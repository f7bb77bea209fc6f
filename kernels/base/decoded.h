// An item that is decoded and of which views are still to be made, here or on a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/gpu.h"

namespace bindrt::kernels {

class Decoded {
 public:
  Decoded() = default;
  Decoded(const Decoded&) = delete;
  Decoded& operator=(const Decoded&) = delete;
  virtual ~Decoded() = default;

  // Writes the item's views to host memory. False if there is no memory; `out` is undefined then.
  virtual bool make(void* out) const noexcept = 0;

  // Queues copying the items to a device and making their views there, one item after the other from `out`
  // on. All are of this object's class, and stay as they are until the work is done. Throws as the queue
  // does, and std::bad_alloc.
  virtual void queue(GpuQueue& queue, std::span<const Decoded* const> items, void* out) const = 0;
};

// The file of a picture that a device may decode.
struct EncodedPicture {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  std::int32_t width = 0;
  std::int32_t height = 0;
};

}  // namespace bindrt::kernels
