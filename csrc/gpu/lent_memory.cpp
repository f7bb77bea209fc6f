// Lets our streams wait for another library's.
#include "csrc/gpu/lent_memory.h"

#include <exception>

#include "csrc/gpu/process.h"

namespace bindrt::gpu {

void LentMemory::wait(kernels::GpuQueue& queue) const {
  if (ready_ != nullptr) {
    static_cast<StreamQueue&>(queue).stream().wait_for(*ready_);
  }
}

bool LentMemory::read(void* host) const noexcept {
  try {
    const BorrowedQueue queue(device_);
    wait(*queue);
    queue->download(host, data(), bytes());
    queue->wait();
    return true;
  } catch (const std::exception&) {  // the engine, which runs next, meets what is wrong with the GPU
    return false;
  }
}

}  // namespace bindrt::gpu
