// An op's queue on the simulator.
#include "tests/cudasim/queue.h"

#include "tests/cudasim/registry.h"
#include "tests/cudasim/scheduler.h"

namespace bindrt::cudasim {

void* SimQueue::scratch(std::size_t bytes) {
  scratch_.push_back(std::make_unique<DeviceMemory>(bytes));
  return scratch_.back()->data();
}

void SimQueue::upload(void* device, const void* host, std::size_t bytes) {
  copy_to_device(device, host, bytes);
}

void SimQueue::launch(const char* name, const kernels::LaunchShape& shape, const void* params,
                      std::size_t params_bytes) {
  const Kernel* const kernel = find_kernel(name);
  if (kernel == nullptr) {
    std::string known;
    for (std::size_t index = 0; kernel_at(index) != nullptr; ++index) {
      known += std::string(" ") + kernel_at(index)->name;
    }
    throw Failure(std::string("no kernel ") + name + "; there are:" + known);
  }
  if (kernel->params_bytes != params_bytes) {
    throw Failure(std::string(name) + " takes parameters of " + std::to_string(kernel->params_bytes) +
                  " bytes, not " + std::to_string(params_bytes));
  }
  run_launch(*kernel, shape, params);
  ++launches_;
  check_all_guards();
}

}  // namespace bindrt::cudasim
