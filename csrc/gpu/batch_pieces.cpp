// Batches of more rows than the engine takes at once: all rows are made in memory of the batch's own, the
// engine gets them piece by piece in the buffers of a set, and pooling finds its rows together again.
#include <algorithm>
#include <stdexcept>
#include <utility>

#include "csrc/gpu/batch_device.h"

namespace bindrt::gpu {
namespace {

// Parts of one block of memory, one after the other.
class Parts {
 public:
  std::size_t add(std::int64_t count, std::size_t each) noexcept {
    constexpr std::size_t kAlignment = 256;
    const std::size_t begin = bytes_;
    bytes_ += (static_cast<std::size_t>(count) * each + kAlignment - 1) / kAlignment * kAlignment;
    return begin;
  }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

// Where the parts of such a batch are on the device, of rows of so many bytes.
struct Places {
  Places(std::int64_t rows, std::size_t row, std::size_t vector) {
    Parts parts;
    input = parts.add(rows, row);
    items = parts.add(rows, kItemBytes);
    output = parts.add(rows, vector);
    vectors = parts.add(rows, vector);  // pooling writes one for each row
    bytes = parts.bytes();
  }
  std::size_t input, items, output, vectors, bytes;
};

}  // namespace

std::size_t whole_bytes(const BatchSizes& sizes) {
  const auto vector = static_cast<std::size_t>(sizes.dim) * sizeof(float);
  return DevicePool::rounded(Places(sizes.rows, sizes.there(sizes.row_bytes), vector).bytes);
}

void BatchDevice::run_in_pieces(const pipeline::Batch& batch, std::int64_t most) {
  queue([&](std::size_t index, Flight& flight) {
    flight.whole = whole_for(batch);
    Set& set = *sets_[index];
    const Filled all{batch, batch.used, false};
    const Buffers& whole = flight.whole->buffers;
    fill_items(all, flight.host().items);
    copy_in(all, set, whole, flight.host().items);
    compute_pieces(all, most, set, whole);
    copy_out(batch, set, whole, flight);
  });
}

// Throws where there is no room: the engine then runs alone, on rows that are made on the host.
BatchDevice::Whole BatchDevice::whole_for(const pipeline::Batch& batch) {
  const auto dim = static_cast<std::size_t>(sizes_.dim) * sizeof(float);
  const Places there(batch.used, sizes_.there(batch.row_bytes), dim);
  Parts here;
  const std::size_t items_here = here.add(batch.used, kItemBytes);
  const std::size_t vectors_here = here.add(std::ssize(batch.entries), dim);
  Whole whole;
  whole.on_device = wholes_->take(there.bytes);
  whole.on_host = wholes_on_host_->take(here.bytes());
  if (whole.on_device == nullptr || whole.on_host == nullptr) {
    throw std::runtime_error("there is no room for a batch of " + std::to_string(batch.used) + " rows");
  }
  const auto begin = reinterpret_cast<cu::Pointer>(whole.on_device.get());
  whole.buffers = {begin + there.input, begin + there.items, begin + there.output, begin + there.vectors};
  whole.host = {whole.on_host.get() + items_here,
                reinterpret_cast<float*>(whole.on_host.get() + vectors_here)};
  return whole;
}

// An engine's rows are aligned, and those of a piece need not be: they go through the set's buffers.
void BatchDevice::compute_pieces(const Filled& all, std::int64_t most, Set& set, const Buffers& whole) {
  compute_.wait_for(set.copied_in);
  const pipeline::Batch& batch = all.batch;
  const auto copy = [this](cu::Pointer to, cu::Pointer from, std::int64_t rows, std::size_t row) {
    context_.call("copying rows of a piece", &cu::Api::copy_on_device, to, from,
                  static_cast<std::size_t>(rows) * row, compute_.handle());
  };
  const std::size_t row = sizes_.there(batch.row_bytes);
  const auto vector = static_cast<std::size_t>(sizes_.dim) * sizeof(float);
  for (std::int64_t first = 0; first < batch.used; first += most) {
    const std::int64_t count = std::min(most, batch.used - first);
    const auto before = static_cast<cu::Pointer>(first);
    copy(set.input.address(), whole.input + before * row, count, row);
    enqueue_({batch.lane, batch.length, count, set.input.address(), set.output.address(), compute_.handle(),
              false, false});
    copy(whole.output + before * vector, set.output.address(), count, vector);
  }
  pool(all.rows, whole);
  set.computed.record(compute_);
}

}  // namespace bindrt::gpu
