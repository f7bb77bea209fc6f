// Device memory with guard zones, filled with poison.
#include "tests/cudasim/device_memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string>

#include "tests/cudasim/failure.h"
#include "tests/cudasim/options.h"
#include "tests/cudasim/race.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace bindrt::cudasim {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kGuardBytes = std::size_t{64} << 10;  // an access far outside lands here, too
constexpr unsigned char kGuard = 0xA5;

std::mutex mutex;
std::map<std::uintptr_t, const DeviceMemory*>& allocations() {  // by their first address
  static auto& all = *new std::map<std::uintptr_t, const DeviceMemory*>();
  return all;
}

void protect([[maybe_unused]] const unsigned char* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(begin, bytes);
#endif
}

void unprotect([[maybe_unused]] const unsigned char* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(begin, bytes);
#endif
}

void check_inside(const void* device, std::size_t bytes, const char* what) {
  const auto begin = reinterpret_cast<std::uintptr_t>(device);
  const std::lock_guard lock(mutex);
  auto after = allocations().upper_bound(begin);
  if (after != allocations().begin()) {
    const auto& [start, memory] = *--after;
    if (begin - start <= memory->bytes() && bytes <= memory->bytes() - (begin - start)) {
      return;
    }
  }
  throw Failure(std::string(what) + ": " + std::to_string(bytes) +
                " bytes that are not in one device allocation");
}

std::size_t bytes_with_guards(std::size_t bytes) {
  if (bytes > (std::size_t{1} << 40)) {
    throw std::bad_alloc();
  }
  return bytes + 2 * kGuardBytes;
}

}  // namespace

void DeviceMemory::Free::operator()(unsigned char* memory) const { std::free(memory); }

DeviceMemory::DeviceMemory(std::size_t bytes) : bytes_(bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes_with_guards(bytes)) != 0) {
    throw std::bad_alloc();
  }
  memory_.reset(static_cast<unsigned char*>(memory));
  unsigned char* const begin = memory_.get() + kGuardBytes;
  std::memset(memory_.get(), kGuard, kGuardBytes);
  std::memset(begin, options().poison, bytes_);
  std::memset(begin + bytes_, kGuard, kGuardBytes);
  protect(memory_.get(), kGuardBytes);
  protect(begin + bytes_, kGuardBytes);
  race::watch_global(begin, bytes_);
  const std::lock_guard lock(mutex);
  allocations().emplace(reinterpret_cast<std::uintptr_t>(begin), this);
}

DeviceMemory::~DeviceMemory() {
  race::unwatch(data());
  unprotect(memory_.get(), bytes_ + 2 * kGuardBytes);
  const std::lock_guard lock(mutex);
  allocations().erase(reinterpret_cast<std::uintptr_t>(data()));
}

void* DeviceMemory::data() const { return memory_.get() + kGuardBytes; }

[[gnu::no_sanitize_address]] void DeviceMemory::check_guards() const {
  const unsigned char* const begin = memory_.get();
  const unsigned char* const end = begin + kGuardBytes + bytes_;
  for (std::size_t place = 0; place < kGuardBytes; ++place) {
    if (begin[kGuardBytes - 1 - place] != kGuard) {
      throw Failure("a kernel wrote " + std::to_string(place + 1) + " bytes before an allocation of " +
                    std::to_string(bytes_));
    }
    if (end[place] != kGuard) {
      throw Failure("a kernel wrote at " + std::to_string(place) +
                    " bytes after the end of an allocation of " + std::to_string(bytes_));
    }
  }
}

void check_all_guards() {
  const std::lock_guard lock(mutex);
  for (const auto& [begin, memory] : allocations()) {
    memory->check_guards();
  }
}

void copy_to_device(void* device, const void* host, std::size_t bytes) {
  check_inside(device, bytes, "copy to the device");
  if (bytes != 0) {
    std::memcpy(device, host, bytes);
    race::written(device, bytes);
  }
}

void copy_from_device(void* host, const void* device, std::size_t bytes) {
  check_inside(device, bytes, "copy from the device");
  if (const std::size_t first = race::first_unwritten(device, bytes); first != bytes) {
    throw Failure("copy from the device: nothing wrote byte " + std::to_string(first) + " of " +
                  std::to_string(bytes));
  }
  if (bytes != 0) {
    std::memcpy(host, device, bytes);
  }
}

}  // namespace bindrt::cudasim
