// Rows of an item in device memory that another library owns, and how they become rows of a batch.
#pragma once

#include <cstdint>
#include <memory>

#include "csrc/gpu/stream.h"
#include "kernels/base/decoded.h"

namespace bindrt::gpu {

// A row is `parts` pieces of `part_bytes`, one after the other; in the batch each piece stands `copies`
// times, as a still image does whose encoder takes frames.
struct Lent {
  int device = 0;
  cu::Pointer address = 0;
  std::int64_t rows = 1;
  std::int64_t parts = 1;
  std::int64_t copies = 1;
  std::int64_t part_bytes = 0;
  std::shared_ptr<const Event> ready;  // once it has passed the rows are written; null: they are

  std::int64_t batch_row_bytes() const noexcept { return parts * copies * part_bytes; }
};

// The memory stays as it is until the request is delivered.
class LentRows final : public kernels::Decoded {
 public:
  explicit LentRows(Lent lent) : lent_(std::move(lent)) {}

  const Lent& lent() const noexcept { return lent_; }

  bool make(void* out) const noexcept override;  // copies them to the host, and waits
  // On a StreamQueue of the same device.
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, void* out) const override;

 private:
  const Lent lent_;
};

}  // namespace bindrt::gpu
