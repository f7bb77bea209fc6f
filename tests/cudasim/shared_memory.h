// A block's shared memory. One block runs at a time, so there is one of each kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace bindrt::cudasim {

// For the time of one launch: the dynamic shared memory, of exactly the size asked for, so that sanitizers
// see its end.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t dynamic_bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // A new block: nothing of the one before can be relied on.
  void begin_block(std::uint8_t poison);

  void* dynamic() { return dynamic_.get(); }  // null if none was asked for

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  std::size_t bytes_;
  std::unique_ptr<void, Free> dynamic_;
};

}  // namespace bindrt::cudasim
