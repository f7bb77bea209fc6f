// Queues copies and kernels on a stream, with memory for what passes through it.
#include "csrc/gpu/queue.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace bindrt::gpu {
namespace {

constexpr std::size_t kAlignment = 256;

cu::Pointer address(const void* device) { return reinterpret_cast<cu::Pointer>(device); }

}  // namespace

void* Arena::take(std::size_t bytes) {
  if (bytes == 0) {
    return nullptr;
  }
  if (bytes > std::numeric_limits<std::size_t>::max() / 4) {
    throw refusal("no device has " + std::to_string(bytes) + " bytes of memory");
  }
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (blocks_.empty() || blocks_.back().bytes() - used_ < rounded) {
    grow(rounded);
  }
  auto* const piece = static_cast<std::byte*>(blocks_.back().data()) + used_;
  used_ += rounded;
  return piece;
}

void Arena::grow(std::size_t bytes) {
  // Doubles, so that a growing demand is met in few steps; where there is less memory than that, or would be
  // more than the most, takes only what is asked for.
  const std::size_t held = this->bytes();
  const std::size_t left = most_ - std::min(most_, held);
  const std::size_t wanted = std::max(bytes, std::min(left, std::max(kFirstBlock, held)));
  try {
    blocks_.emplace_back(stream_.context(), wanted);
  } catch (const Error& error) {
    if (!error.out_of_memory() || wanted == bytes) {
      throw;
    }
    blocks_.emplace_back(stream_.context(), bytes);
  }
  used_ = 0;
}

void Arena::rewind() {
  if (blocks_.size() > 1) {  // one block for all from now on
    const std::size_t all = bytes();
    stream_.wait();
    blocks_.clear();
    blocks_.emplace_back(stream_.context(), all);
  }
  used_ = 0;
}

std::size_t Arena::bytes() const noexcept {
  std::size_t sum = 0;
  for (const DeviceMemory& block : blocks_) {
    sum += block.bytes();
  }
  return sum;
}

void Staging::upload(cu::Pointer device, const void* host, std::size_t bytes) {
  const auto* source = static_cast<const std::byte*>(host);
  while (bytes > 0) {
    Chunk& chunk = room();
    const std::size_t count = std::min(bytes, chunk.memory.bytes() - used_);
    std::byte* const copy = chunk.memory.data() + used_;
    std::memcpy(copy, source, count);
    stream_.context().call("cuMemcpyHtoDAsync", &cu::Api::copy_to_device, device,
                           static_cast<const void*>(copy), count, stream_.handle());
    used_ += count;
    if (used_ == chunk.memory.bytes()) {
      retire();
    }
    source += count;
    device += count;
    bytes -= count;
  }
}

Staging::Chunk& Staging::room() {
  if (current_ != nullptr) {
    return *current_;
  }
  if (!busy_.empty() && (busy_.size() >= most_ / kChunk || busy_.front()->copied.passed())) {
    busy_.front()->copied.wait();
    current_ = std::move(busy_.front());
    busy_.pop_front();
  } else {
    current_ = std::make_unique<Chunk>(stream_.context(), kChunk);
  }
  used_ = 0;
  return *current_;
}

void Staging::retire() {
  current_->copied.record(stream_);
  busy_.push_back(std::move(current_));
}

StreamQueue::StreamQueue(Context& context, std::unique_ptr<Stream> stream, const QueueLimits& limits)
    : context_(context),
      stream_(std::move(stream)),
      most_tables_(limits.tables),
      arena_(*stream_, limits.scratch),
      staging_(*stream_, limits.staged) {}

StreamQueue::~StreamQueue() { context_.ask(&cu::Api::stream_synchronize, stream_->handle()); }

void StreamQueue::upload(void* device, const void* host, std::size_t bytes) {
  staging_.upload(address(device), host, bytes);
  uploaded_ += bytes;
}

void StreamQueue::upload_pinned(void* device, const void* host, std::size_t bytes) {
  if (bytes > 0) {
    context_.call("cuMemcpyHtoDAsync", &cu::Api::copy_to_device, address(device), host, bytes,
                  stream_->handle());
    uploaded_ += bytes;
  }
}

const void* StreamQueue::table(const std::string& key, const std::function<std::vector<std::byte>()>& make) {
  if (const auto found = tables_.find(key); found != tables_.end()) {
    return found->second.data();
  }
  const std::vector<std::byte> bytes = make();
  if (table_bytes_ + bytes.size() > most_tables_) {
    too_many_tables_ = true;
    void* const device = scratch(bytes.size());
    upload(device, bytes.data(), bytes.size());
    return device;
  }
  const auto made = tables_.emplace(key, DeviceMemory(context_, bytes.size())).first;
  try {
    upload(made->second.data(), bytes.data(), bytes.size());
  } catch (...) {                                                   // what is kept must be whole
    context_.ask(&cu::Api::stream_synchronize, stream_->handle());  // a part may be on its way
    tables_.erase(made);
    throw;
  }
  table_bytes_ += bytes.size();
  return made->second.data();
}

void StreamQueue::rewind() {
  arena_.rewind();
  if (std::exchange(too_many_tables_, false)) {  // others are wanted now
    stream_->wait();
    tables_.clear();
    table_bytes_ = 0;
  }
}

void StreamQueue::launch(const char* kernel, const kernels::LaunchShape& shape, const void* params,
                         std::size_t params_bytes) {
  context_.launch(stream_->handle(), kernel, shape, params, params_bytes);
}

void StreamQueue::download(void* host, const void* device, std::size_t bytes) {
  if (bytes > 0) {
    context_.call("cuMemcpyDtoHAsync", &cu::Api::copy_to_host, host, address(device), bytes,
                  stream_->handle());
  }
}

void StreamQueue::fill(void* device, unsigned char value, std::size_t bytes) {
  if (bytes > 0) {
    context_.call("cuMemsetD8Async", &cu::Api::fill_bytes, address(device), value, bytes, stream_->handle());
  }
}

}  // namespace bindrt::gpu
