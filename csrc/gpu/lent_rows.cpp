// Copies rows that another library has on the device, once its own work on them is done.
#include "csrc/gpu/lent_rows.h"

#include <exception>

#include "csrc/gpu/process.h"

namespace bindrt::gpu {
namespace {

// Calls `copy(offset in the batch's rows, address, bytes)` for all that has to be copied, in large pieces.
template <class Copy>
void each_copy(const Lent& lent, const Copy& copy) {
  if (lent.copies == 1) {
    copy(std::size_t{0}, lent.address, static_cast<std::size_t>(lent.rows * lent.parts * lent.part_bytes));
    return;
  }
  const auto bytes = static_cast<std::size_t>(lent.part_bytes);
  const auto copies = static_cast<std::size_t>(lent.copies);
  for (std::size_t part = 0; part < static_cast<std::size_t>(lent.rows * lent.parts); ++part) {
    for (std::size_t each = 0; each < copies; ++each) {
      copy((part * copies + each) * bytes, lent.address + part * bytes, bytes);
    }
  }
}

void wait_for_owner(const Lent& lent, StreamQueue& queue) {
  if (lent.ready != nullptr) {
    queue.stream().wait_for(*lent.ready);
  }
}

}  // namespace

bool LentRows::make(void* out) const noexcept {
  try {
    const BorrowedQueue queue(lent_.device);
    wait_for_owner(lent_, *queue);
    each_copy(lent_, [&](std::size_t offset, cu::Pointer from, std::size_t bytes) {
      queue->download(static_cast<std::byte*>(out) + offset, reinterpret_cast<const void*>(from), bytes);
    });
    queue->wait();
    return true;
  } catch (const std::exception&) {  // the engine, which runs next, meets what is wrong with the GPU
    return false;
  }
}

void LentRows::queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, void* out) const {
  auto& stream_queue = static_cast<StreamQueue&>(queue);
  auto to = reinterpret_cast<cu::Pointer>(out);
  for (const Decoded* const item : items) {
    const Lent& lent = static_cast<const LentRows*>(item)->lent_;
    wait_for_owner(lent, stream_queue);
    each_copy(lent, [&](std::size_t offset, cu::Pointer from, std::size_t bytes) {
      stream_queue.context().call("copying rows on the GPU", &cu::Api::copy_on_device, to + offset, from,
                                  bytes, stream_queue.stream().handle());
    });
    to += static_cast<cu::Pointer>(lent.rows * lent.batch_row_bytes());
  }
}

}  // namespace bindrt::gpu
