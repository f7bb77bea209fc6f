// Rows of an item that are on the device already, and how they become rows of a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "csrc/gpu/lent_memory.h"
#include "kernels/base/decoded.h"

namespace bindrt::gpu {

// A row is `parts` pieces of `part_bytes`, one after the other; in the batch each piece stands `copies`
// times, as a still image does whose encoder takes frames.
struct RowLayout {
  std::int64_t rows = 1;
  std::int64_t parts = 1;
  std::int64_t copies = 1;
  std::int64_t part_bytes = 0;

  std::int64_t bytes() const noexcept { return rows * parts * part_bytes; }
  std::int64_t batch_row_bytes() const noexcept { return parts * copies * part_bytes; }
};

class LentRows final : public kernels::Decoded {
 public:
  // The memory holds layout.bytes().
  LentRows(std::shared_ptr<const LentMemory> memory, const RowLayout& layout)
      : memory_(std::move(memory)), layout_(layout) {}

  const RowLayout& layout() const noexcept { return layout_; }

  bool make(void* out) const noexcept override;  // copies them to the host, and waits
  // On a StreamQueue of the same device. Rows of another type than float32 must be float32 in the memory.
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, kernels::OutType type,
             void* out) const override;

 private:
  std::pair<const LentMemory&, const RowLayout&> both() const noexcept { return {*memory_, layout_}; }

  const std::shared_ptr<const LentMemory> memory_;
  const RowLayout layout_;
};

}  // namespace bindrt::gpu
