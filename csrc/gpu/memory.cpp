// Allocates device memory and page-locked host memory.
#include "csrc/gpu/memory.h"

#include <utility>

namespace bindrt::gpu {
namespace {

std::string mebibytes(std::size_t bytes) {
  return std::to_string(bytes >> 20) + "." + std::to_string((bytes >> 10) % 1024 * 10 / 1024) + " MiB";
}

}  // namespace

DeviceMemory::DeviceMemory(const Context& context, std::size_t bytes) : context_(&context), bytes_(bytes) {
  if (bytes == 0) {
    return;
  }
  const Context::Current current(context);
  const cu::Result result = context.driver().ask(&cu::Api::memory_alloc, &address_, bytes);
  if (result != cu::kSuccess) {
    address_ = 0;
    std::string what = "allocating " + mebibytes(bytes) + " on " + context.device().name;
    if (result == cu::kOutOfMemory) {
      what += ", of which " + mebibytes(context.memory_free()) + " are free";
    }
    context.driver().fail(what, result);
  }
}

DeviceMemory::~DeviceMemory() {
  if (address_ != 0) {
    context_->ask(&cu::Api::memory_free, address_);
  }
}

void DeviceMemory::swap(DeviceMemory& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
}

PinnedMemory::PinnedMemory(const Context& context, std::size_t bytes) : context_(&context), bytes_(bytes) {
  if (bytes == 0) {
    return;
  }
  const Context::Current current(context);
  void* memory = nullptr;
  const cu::Result result = context.driver().ask(&cu::Api::host_alloc, &memory, bytes, cu::kHostPortable);
  if (result != cu::kSuccess) {
    context.driver().fail("allocating " + mebibytes(bytes) + " of page-locked host memory", result);
  }
  data_ = static_cast<std::byte*>(memory);
}

PinnedMemory::~PinnedMemory() {
  if (data_ != nullptr) {
    context_->ask(&cu::Api::host_free, static_cast<void*>(data_));
  }
}

void PinnedMemory::swap(PinnedMemory& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
}

}  // namespace bindrt::gpu
