// Memory that a thread keeps between calls of an op, so that only the first call allocates.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace bindrt::kernels {

// Uninitialised numbers, aligned to 64 bytes. Grows to what is asked for and stays, unless that is more
// than `kKeptBytes`: one huge picture must not hold its memory for ever.
template <class T>
class Scratch {
 public:
  static constexpr std::size_t kKeptBytes = std::size_t{64} << 20;

  // Room for `count` numbers; null if there is no memory. What was there before is lost when it grows.
  T* get(std::size_t count) noexcept {
    if (count > capacity_) {
      memory_.reset();
      capacity_ = 0;
      if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) {
        return nullptr;
      }
      memory_.reset(static_cast<T*>(::operator new(count * sizeof(T), kAlignment, std::nothrow)));
      capacity_ = memory_ == nullptr ? 0 : count;
    }
#if defined(__SANITIZE_ADDRESS__)
    // So that a step past what was asked for is seen, and not only one past what there is.
    ASAN_POISON_MEMORY_REGION(memory_.get(), capacity_ * sizeof(T));
    ASAN_UNPOISON_MEMORY_REGION(memory_.get(), count * sizeof(T));
#endif
    return memory_.get();
  }

  // Call at an op's end.
  void trim() noexcept {
    if (capacity_ * sizeof(T) > kKeptBytes) {
      memory_.reset();
      capacity_ = 0;
    }
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(T* memory) const noexcept { ::operator delete(memory, kAlignment); }
  };
  std::unique_ptr<T, Free> memory_;
  std::size_t capacity_ = 0;
};

}  // namespace bindrt::kernels
