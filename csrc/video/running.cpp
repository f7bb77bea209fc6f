// Counts the videos that are decoded.
#include "csrc/video/running.h"

#include <algorithm>
#include <atomic>

namespace bindrt::video {
namespace {

constexpr int kMost = 16;  // each thread of a decoder keeps frames, and few videos gain by more

constinit std::atomic<int> running{0};

}  // namespace

Running::Running() noexcept { running.fetch_add(1, std::memory_order_relaxed); }
Running::~Running() { running.fetch_sub(1, std::memory_order_relaxed); }

int decoder_threads(int usable) noexcept {
  const int part = usable / std::max(running.load(std::memory_order_relaxed), 1);
  return part > 1 ? std::min(part + 1, kMost) : 1;
}

}  // namespace bindrt::video
