// How long an op's kernels take on the device, without the host's work and copies between them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "csrc/gpu/queue.h"

namespace bindrt::gpu {

// Passes everything on to a stream's queue, and notes what is launched there.
class NotingQueue final : public kernels::GpuQueue {
 public:
  struct Launch {
    std::string kernel;
    kernels::LaunchShape shape;
    std::vector<std::byte> params;
  };

  explicit NotingQueue(StreamQueue& queue) : queue_(queue) {}

  void* scratch(std::size_t bytes) override { return queue_.scratch(bytes); }
  void upload(void* device, const void* host, std::size_t bytes) override {
    queue_.upload(device, host, bytes);
  }
  void launch(const char* kernel, const kernels::LaunchShape& shape, const void* params,
              std::size_t params_bytes) override;
  using GpuQueue::launch;

  StreamQueue& stream_queue() const noexcept { return queue_; }
  const std::vector<Launch>& launches() const noexcept { return launches_; }
  void forget() noexcept { launches_.clear(); }

 private:
  StreamQueue& queue_;
  std::vector<Launch> launches_;
};

struct KernelTimes {
  std::string name;
  std::vector<double> seconds;  // of all its launches in a run of the op, by round
};

// Launches what was noted again, kernel after kernel, on the memory that it worked on: that must hold what it
// held, and what is written there is not to be used afterwards. Nothing waits between launches, and what a
// measurement costs by itself is subtracted.
std::vector<KernelTimes> time_kernels(const NotingQueue& queue, int rounds);

}  // namespace bindrt::gpu
