// Keeps this process's contexts and idle queues, one set for each device.
#include "csrc/gpu/process.h"

#include <map>
#include <mutex>
#include <vector>

namespace bindrt::gpu {
namespace {

struct Kept {
  std::mutex mutex;
  std::map<int, std::unique_ptr<Context>> contexts;
  std::map<int, std::vector<std::unique_ptr<StreamQueue>>> queues;
  std::map<int, std::unique_ptr<Stream>> imports;
};

Kept& kept() {
  static Kept& instance = *new Kept();  // outlives static destructors
  return instance;
}

}  // namespace

Context& process_context(int device) {
  Driver::instance().check_process();  // first: in a forked child nobody may ever give the mutex back
  const std::lock_guard lock(kept().mutex);
  std::unique_ptr<Context>& context = kept().contexts[device];
  if (context == nullptr) {
    context = std::make_unique<Context>(Driver::instance(), device, embedded_kernels());
  }
  return *context;
}

Stream& import_stream(int device) {
  Context& context = process_context(device);
  const std::lock_guard lock(kept().mutex);
  std::unique_ptr<Stream>& stream = kept().imports[device];
  if (stream == nullptr) {
    stream = std::make_unique<Stream>(context);
  }
  return *stream;
}

BorrowedQueue::BorrowedQueue(int device) : device_(device) {
  Context& context = process_context(device);
  {
    const std::lock_guard lock(kept().mutex);
    std::vector<std::unique_ptr<StreamQueue>>& free = kept().queues[device];
    if (!free.empty()) {
      queue_ = std::move(free.back());
      free.pop_back();
    }
  }
  if (queue_ == nullptr) {
    queue_ = std::make_unique<StreamQueue>(context);
  }
}

BorrowedQueue::~BorrowedQueue() {
  try {
    queue_->wait();
    queue_->rewind();
    const std::lock_guard lock(kept().mutex);
    kept().queues[device_].push_back(std::move(queue_));
  } catch (...) {  // its memory goes with it
  }
}

}  // namespace bindrt::gpu
