// The simulated driver's functions about memory and copies. A copy between the device and page-locked memory
// is done when its stream's turn comes, reading what is there then; from ordinary memory at once.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "tests/cudasim/driver/state.h"
#include "tests/cudasim/failure.h"

namespace bindrt::cudasim::driver {
namespace {

std::atomic<unsigned long long> bytes_to_device{0};

void* pointer(cu::Pointer address) { return reinterpret_cast<void*>(address); }

void check_pinned(const State& state, const void* host, std::size_t bytes) {
  if (!state.is_pinned(host, bytes)) {
    throw Failure("page-locked memory was freed while a copy still waited");
  }
}

void queue(State& state, cu::Stream stream, std::function<void()> run) {
  state.push(stream, {std::move(run), nullptr, nullptr});
}

}  // namespace
}  // namespace bindrt::cudasim::driver

using namespace bindrt::cudasim::driver;
using bindrt::cudasim::copy_from_device;
using bindrt::cudasim::copy_to_device;
using bindrt::cudasim::DeviceMemory;

BINDRT_DRIVER_API cu::Result cuMemGetInfo_v2(std::size_t* available, std::size_t* total) {
  return guarded([&](State& state) {
    *total = state.machine.memory;
    *available = *total - state.current().used;
  });
}

BINDRT_DRIVER_API cu::Result cuMemAlloc_v2(cu::Pointer* address, std::size_t bytes) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    state.refuse_in_capture();
    if (bytes == 0) {
      throw Refusal{kInvalidValue};
    }
    if (bytes > state.machine.memory - context.used) {
      throw Refusal{cu::kOutOfMemory};
    }
    auto memory = std::make_unique<DeviceMemory>(bytes);
    *address = reinterpret_cast<cu::Pointer>(memory->data());
    context.used += bytes;
    state.most_used = std::max(state.most_used, state.used());
    state.memory.emplace(*address, Allocation{&context, std::move(memory)});
  });
}

// Frees at once: work that still waits and uses the memory is a fault, which is found when it is done.
BINDRT_DRIVER_API cu::Result cuMemFree_v2(cu::Pointer address) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    state.refuse_in_capture();
    const auto found = state.memory.find(address);
    if (found == state.memory.end() || found->second.context != &context) {
      throw Refusal{kInvalidValue};
    }
    context.used -= found->second.memory->bytes();
    state.memory.erase(found);
  });
}

BINDRT_DRIVER_API cu::Result cuPointerGetAttribute(void* value, int which, cu::Pointer address) {
  return guarded([&](State& state) {
    state.current();
    auto after = state.memory.upper_bound(address);
    if (after == state.memory.begin() || address - (--after)->first >= after->second.memory->bytes()) {
      throw Refusal{kInvalidValue};
    }
    ContextState* const owner = after->second.context;
    if (which == cu::kPointerDevice) {
      *static_cast<int*>(value) = owner->device;
    } else if (which == cu::kPointerContext) {
      *static_cast<cu::Context*>(value) = reinterpret_cast<cu::Context>(owner);
    } else {
      throw Refusal{kInvalidValue};
    }
  });
}

BINDRT_DRIVER_API cu::Result cuMemHostAlloc(void** host, std::size_t bytes, unsigned) {
  return guarded([&](State& state) {
    state.current();
    state.refuse_in_capture();
    if (bytes == 0) {
      throw Refusal{kInvalidValue};
    }
    if (state.machine.pinned != 0 && state.pinned_bytes + bytes > state.machine.pinned) {
      throw Refusal{cu::kOutOfMemory};
    }
    std::vector<std::byte> block(bytes, std::byte{bindrt::cudasim::options().poison});
    *host = block.data();
    state.pinned.emplace(block.data(), std::move(block));
    state.pinned_bytes += bytes;
    state.most_pinned = std::max(state.most_pinned, state.pinned_bytes);
  });
}

BINDRT_DRIVER_API cu::Result cuMemFreeHost(void* host) {
  return guarded([&](State& state) {
    state.current();
    state.refuse_in_capture();
    const auto found = state.pinned.find(static_cast<std::byte*>(host));
    if (found == state.pinned.end()) {
      throw Refusal{kInvalidValue};
    }
    state.pinned_bytes -= found->second.size();
    state.pinned.erase(found);
  });
}

// Not a driver's: the most bytes that were allocated at once beyond those that were when this was called
// last, on devices and page-locked; from now on it counts anew.
BINDRT_DRIVER_API void cudasimMostBytes(unsigned long long* on_devices, unsigned long long* pinned) {
  static std::size_t used_before = 0;
  static std::size_t pinned_before = 0;
  guarded([&](State& state) {
    *on_devices = state.most_used - std::min(state.most_used, used_before);
    *pinned = state.most_pinned - std::min(state.most_pinned, pinned_before);
    state.most_used = used_before = state.used();
    state.most_pinned = pinned_before = state.pinned_bytes;
  });
}

// Not a driver's: bytes that were copied to devices so far.
BINDRT_DRIVER_API unsigned long long cudasimBytesToDevice() { return bytes_to_device.load(); }

BINDRT_DRIVER_API cu::Result cuMemcpyHtoDAsync_v2(cu::Pointer device, const void* host, std::size_t bytes,
                                                  cu::Stream stream) {
  return guarded([&](State& state) {
    bytes_to_device += bytes;
    if (state.is_pinned(host, bytes)) {
      queue(state, stream, [&state, device, host, bytes] {
        check_pinned(state, host, bytes);
        copy_to_device(pointer(device), host, bytes);
      });
      return;
    }
    if (state.stream(stream).capture != nullptr) {  // read when the graph is launched
      queue(state, stream, [device, host, bytes] { copy_to_device(pointer(device), host, bytes); });
      return;
    }
    const auto* const begin = static_cast<const std::byte*>(host);
    queue(state, stream, [device, copy = std::vector<std::byte>(begin, begin + bytes)] {
      copy_to_device(pointer(device), copy.data(), copy.size());
    });
  });
}

BINDRT_DRIVER_API cu::Result cuMemcpyDtoHAsync_v2(void* host, cu::Pointer device, std::size_t bytes,
                                                  cu::Stream stream) {
  return guarded([&](State& state) {
    const bool pinned = state.is_pinned(host, bytes);
    if (!pinned) {
      state.refuse_captured(state.stream(stream));
    }
    queue(state, stream, [&state, pinned, host, device, bytes] {
      if (pinned) {
        check_pinned(state, host, bytes);
      }
      copy_from_device(host, pointer(device), bytes);
    });
    if (!pinned) {
      ContextState& context = state.current();
      const StreamState& queued = state.stream(stream);
      state.run_until(context, [&queued] { return queued.idle(); });
    }
  });
}

BINDRT_DRIVER_API cu::Result cuMemcpyDtoDAsync_v2(cu::Pointer to, cu::Pointer from, std::size_t bytes,
                                                  cu::Stream stream) {
  return guarded([&](State& state) {
    queue(state, stream, [to, from, bytes] {
      std::vector<std::byte> copy(bytes);
      copy_from_device(copy.data(), pointer(from), bytes);
      copy_to_device(pointer(to), copy.data(), bytes);
    });
  });
}

BINDRT_DRIVER_API cu::Result cuMemsetD8Async(cu::Pointer device, unsigned char value, std::size_t bytes,
                                             cu::Stream stream) {
  return guarded([&](State& state) {
    queue(state, stream, [device, value, bytes] {
      const std::vector<std::byte> all(bytes, std::byte{value});
      copy_to_device(pointer(device), all.data(), bytes);
    });
  });
}
