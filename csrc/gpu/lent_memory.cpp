// Lets our streams wait for another library's.
#include "csrc/gpu/lent_memory.h"

#include <exception>

#include "csrc/gpu/queue.h"

namespace bindrt::gpu {

void LentMemory::let_wait(Stream& stream) const {
  if (ready_ != nullptr) {
    stream.wait_for(*ready_);
  }
}

void LentMemory::wait(kernels::GpuQueue& queue) const { let_wait(static_cast<StreamQueue&>(queue).stream()); }

bool LentMemory::read(void* host) const noexcept {
  try {
    Stream stream(context_);
    let_wait(stream);
    context_.call("copying from the GPU", &cu::Api::copy_to_host, host, address(), bytes(), stream.handle());
    stream.wait();
    return true;
  } catch (const std::exception&) {  // the engine, which runs next, meets what is wrong with the GPU
    return false;
  }
}

}  // namespace bindrt::gpu
