// Copies rows that are on the device, once the work that writes them is done.
#include "csrc/gpu/lent_rows.h"

#include <cstring>
#include <new>

#include "csrc/gpu/queue.h"
#include "kernels/base/half_gpu.h"

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

// Bytes that rows of so many float32 bytes have in a batch.
std::size_t in_batch(std::size_t bytes, kernels::OutType type) noexcept {
  return type == kernels::OutType::kFloat32 ? bytes : bytes / 2;
}

// `bytes` of rows that are on the device, in a batch there.
void write_rows(kernels::GpuQueue& queue, const std::byte* from, std::size_t bytes, kernels::OutType type,
                std::byte* to) {
  if (type == kernels::OutType::kFloat16) {
    kernels::to_halves_gpu(queue, reinterpret_cast<const float*>(from),
                           static_cast<std::int64_t>(bytes / sizeof(float)), to);
    return;
  }
  const auto& stream_queue = static_cast<const StreamQueue&>(queue);
  stream_queue.context().call("copying rows on the GPU", &cu::Api::copy_on_device,
                              reinterpret_cast<cu::Pointer>(to), reinterpret_cast<cu::Pointer>(from), bytes,
                              stream_queue.stream().handle());
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

void LentRows::queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, kernels::OutType type,
                     void* out) const {
  std::byte* begin = static_cast<std::byte*>(out);
  for (const Decoded* const item : items) {
    const auto& [memory, layout] = static_cast<const LentRows*>(item)->both();
    memory.wait(queue);
    const std::byte* const there = memory.data();
    each_copy(layout, [&](std::size_t to, std::size_t from, std::size_t bytes) {
      write_rows(queue, there + from, bytes, type, begin + in_batch(to, type));
    });
    begin += in_batch(static_cast<std::size_t>(layout.rows * layout.batch_row_bytes()), type);
  }
}

}  // namespace bindrt::gpu
