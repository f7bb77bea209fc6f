// Copies rows that are on the device, once the work that writes them is done.
#include "csrc/gpu/lent_rows.h"

#include <cstring>
#include <new>

#include "csrc/gpu/queue.h"

namespace bindrt::gpu {
namespace {

// Calls `copy(offset in the batch's rows, offset in the memory, bytes)` for all that has to be copied, in
// large pieces.
template <class Copy>
void each_copy(const RowLayout& layout, const Copy& copy) {
  if (layout.copies == 1) {
    copy(std::size_t{0}, std::size_t{0}, static_cast<std::size_t>(layout.bytes()));
    return;
  }
  const auto bytes = static_cast<std::size_t>(layout.part_bytes);
  const auto copies = static_cast<std::size_t>(layout.copies);
  for (std::size_t part = 0; part < static_cast<std::size_t>(layout.rows * layout.parts); ++part) {
    for (std::size_t each = 0; each < copies; ++each) {
      copy((part * copies + each) * bytes, part * bytes, bytes);
    }
  }
}

}  // namespace

bool LentRows::make(void* out) const noexcept {
  if (layout_.copies == 1) {
    return memory_->read(out);
  }
  const std::unique_ptr<std::byte[]> held(new (std::nothrow) std::byte[memory_->bytes()]);
  if (held == nullptr || !memory_->read(held.get())) {
    return false;
  }
  each_copy(layout_, [&](std::size_t to, std::size_t from, std::size_t bytes) {
    std::memcpy(static_cast<std::byte*>(out) + to, held.get() + from, bytes);
  });
  return true;
}

void LentRows::queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, void* out) const {
  const auto& stream_queue = static_cast<const StreamQueue&>(queue);
  auto begin = reinterpret_cast<cu::Pointer>(out);
  for (const Decoded* const item : items) {
    const auto& [memory, layout] = static_cast<const LentRows*>(item)->both();
    memory.wait(queue);
    each_copy(layout, [&](std::size_t to, std::size_t from, std::size_t bytes) {
      stream_queue.context().call("copying rows on the GPU", &cu::Api::copy_on_device, begin + to,
                                  memory.address() + from, bytes, stream_queue.stream().handle());
    });
    begin += static_cast<cu::Pointer>(layout.rows * layout.batch_row_bytes());
  }
}

}  // namespace bindrt::gpu
