// Rows of a batch on their way to the engine: those of the host, and those that are made on the device.
#include <algorithm>
#include <iterator>
#include <typeinfo>
#include <vector>

#include "csrc/gpu/batch_device.h"
#include "kernels/base/half_gpu.h"

namespace bindrt::gpu {
namespace {

std::size_t bytes_of(std::int64_t count, std::size_t each) { return static_cast<std::size_t>(count) * each; }

}  // namespace

void BatchDevice::copy_in(const Filled& filled, Set& set, const Buffers& to, const std::byte* items) {
  in_.wait_for(set.computed);
  rows_in(filled.batch, to.input);
  const std::size_t row = sizes_.there(filled.batch.row_bytes);
  for (std::int64_t more = filled.batch.used; more < filled.rows; ++more) {  // what an engine can compute
    context_.call("filling a batch up", &cu::Api::copy_on_device, to.input + bytes_of(more, row), to.input,
                  row, in_.handle());
  }
  into_.upload_pinned(reinterpret_cast<void*>(to.items), items, bytes_of(filled.rows, kItemBytes));
  set.copied_in.record(in_);
}

// Items that are neighbours, and rows of the host that are, go together.
void BatchDevice::rows_in(const pipeline::Batch& batch, cu::Pointer input) {
  using Entry = pipeline::Batch::Entry;
  const auto alike = [](const Entry& one, const Entry& other) {
    const kernels::Decoded* const first = one.decoded.get();
    const kernels::Decoded* const second = other.decoded.get();
    return first == nullptr || second == nullptr ? first == second : typeid(*first) == typeid(*second);
  };
  into_.rewind();
  const auto row = static_cast<std::size_t>(batch.row_bytes);
  const std::size_t row_there = sizes_.there(batch.row_bytes);
  std::vector<const kernels::Decoded*> items;
  for (auto from = batch.entries.begin(); from != batch.entries.end();) {
    const auto end =
        std::find_if_not(from, batch.entries.end(), [&](const Entry& each) { return alike(*from, each); });
    std::byte* const to = reinterpret_cast<std::byte*>(input) + bytes_of(from->first, row_there);
    if (from->decoded == nullptr) {
      const Entry& last = *std::prev(end);
      const std::size_t begin = bytes_of(from->first, row);
      host_rows_in(batch.input() + begin, bytes_of(last.first + last.rows, row) - begin, to);
    } else {
      items.clear();
      std::transform(from, end, std::back_inserter(items),
                     [](const Entry& each) { return each.decoded.get(); });
      items.front()->queue(into_, items, sizes_.input, to);
    }
    from = end;
  }
}

// Float32 goes up, and the device makes halves of it: what comes here so is rare, and cores have other work.
void BatchDevice::host_rows_in(const std::byte* rows, std::size_t bytes, std::byte* to) {
  if (sizes_.input == kernels::OutType::kFloat32) {
    into_.upload_pinned(to, rows, bytes);
    return;
  }
  auto* const numbers = static_cast<float*>(into_.scratch(bytes));
  into_.upload_pinned(numbers, rows, bytes);
  kernels::to_halves_gpu(into_, numbers, static_cast<std::int64_t>(bytes / sizeof(float)), to);
}

}  // namespace bindrt::gpu
