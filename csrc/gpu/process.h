// The contexts and queues that this process keeps: made when first asked for, never given up, so that
// nothing is freed after the driver has shut down.
#pragma once

#include <memory>

#include "csrc/gpu/queue.h"

namespace bindrt::gpu {

// The device's context with the kernels of this build. Throws Error.
Context& process_context(int device);

// A stream of the device on which nothing runs: owners of arrays let it wait for their work.
Stream& import_stream(int device);

// Lends the calling thread a queue of the device, together with the memory that earlier users made it keep.
// The destructor waits for the queued work; a queue whose work failed is not lent again.
class BorrowedQueue {
 public:
  explicit BorrowedQueue(int device);
  BorrowedQueue(const BorrowedQueue&) = delete;
  BorrowedQueue& operator=(const BorrowedQueue&) = delete;
  ~BorrowedQueue();

  StreamQueue& operator*() const noexcept { return *queue_; }
  StreamQueue* operator->() const noexcept { return queue_.get(); }

 private:
  int device_;
  std::unique_ptr<StreamQueue> queue_;
};

}  // namespace bindrt::gpu
