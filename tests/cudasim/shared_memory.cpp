// Static and dynamic shared memory of a block.
#include "tests/cudasim/shared_memory.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "tests/cudasim/race.h"

// The ends of the section of static shared memory, made by the linker; null if no kernel has any.
extern "C" {
[[gnu::weak, gnu::visibility("hidden")]] extern unsigned char __start_simshared[];
[[gnu::weak, gnu::visibility("hidden")]] extern unsigned char __stop_simshared[];
}

namespace bindrt::cudasim {
namespace {

// Writes between the variables as well, where AddressSanitizer allows nobody to write.
[[gnu::no_sanitize_address, gnu::noinline]] void fill_section(std::uint8_t poison) {
  volatile unsigned char* place = __start_simshared;
  volatile unsigned char* const end = __stop_simshared;
  while (place != end && reinterpret_cast<std::uintptr_t>(place) % sizeof(std::uint64_t) != 0) {
    *place++ = poison;
  }
  const std::uint64_t word = poison * std::uint64_t{0x0101010101010101};
  while (end - place >= static_cast<std::ptrdiff_t>(sizeof(word))) {
    *reinterpret_cast<volatile std::uint64_t*>(place) = word;
    place += sizeof(word);
  }
  while (place != end) {
    *place++ = poison;
  }
}

}  // namespace

void SharedMemory::Free::operator()(void* memory) const { std::free(memory); }

SharedMemory::SharedMemory(std::size_t dynamic_bytes)
    : bytes_(dynamic_bytes), dynamic_(dynamic_bytes == 0 ? nullptr : std::malloc(dynamic_bytes)) {
  if (bytes_ != 0 && dynamic_ == nullptr) {
    throw std::bad_alloc();
  }
  race::watch_shared(dynamic_.get(), bytes_);
}

SharedMemory::~SharedMemory() { race::unwatch(dynamic_.get()); }

void SharedMemory::begin_block(std::uint8_t poison) {
  if (bytes_ != 0) {
    std::memset(dynamic_.get(), poison, bytes_);
  }
  fill_section(poison);
  race::begin_block();
}

}  // namespace bindrt::cudasim
