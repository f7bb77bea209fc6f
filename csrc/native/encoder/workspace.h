// What one call of an encoder keeps in memory. It grows and stays, for the next call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "kernels/base/scratch.h"

namespace bindrt::native {

class Buffer {
 public:
  // At least so many bytes, aligned to 64; what was there is lost when it grows. Throws std::bad_alloc.
  void need(std::int64_t bytes) {
    data_ = memory_.get(static_cast<std::size_t>(bytes));
    if (data_ == nullptr && bytes > 0) {
      throw std::bad_alloc();
    }
  }
  template <class T = std::byte>
  T* at(std::int64_t byte = 0) const {
    return reinterpret_cast<T*>(data_ + byte);
  }

 private:
  kernels::Scratch<std::byte> memory_;
  std::byte* data_ = nullptr;
};

struct Workspace {
  Buffer residual;                   // float32 [rows, width]: the residual stream
  Buffer activations;                // what a linear reads
  Buffer steps;                      // float32 [rows]
  Buffer qkv;                        // [rows, 3 width], in the last block keys and values
  Buffer mixed;                      // [rows, width]: what attention gives
  Buffer hidden;                     // [rows, hidden]; before the trunk float32 [rows, width]: patches
  Buffer pooled;                     // float32 [sequences, width]
  Buffer pooled_query;               // [sequences, width]
  Buffer scratch;                    // of each member
  std::vector<std::int64_t> starts;  // [sequences + 1]: each sequence's first row
};

// The workspaces of an encoder that no call is using.
class Workspaces {
 public:
  std::unique_ptr<Workspace> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) {
      return std::make_unique<Workspace>();
    }
    auto workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }
  void give_back(std::unique_ptr<Workspace> workspace) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace bindrt::native
