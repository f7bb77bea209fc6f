// Memory for what programs push to live streams, used again and again.
//
// Fresh memory of a frame's size comes page by page from the system, which takes longer than to fill it; and
// the allocator's lock may be held by a thread that has no processor for some milliseconds.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace bindrt::live {

class Memory;

// Bytes that belong to whoever has it; at its end they go back to where they came from.
class Block {
 public:
  Block() = default;
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();

  std::byte* data() const noexcept { return data_; }  // at a multiple of 64; null: there is none

 private:
  friend class Memory;
  Block(std::shared_ptr<Memory> memory, std::byte* data, std::size_t capacity) noexcept
      : memory_(std::move(memory)), data_(data), capacity_(capacity) {}

  std::shared_ptr<Memory> memory_;
  std::byte* data_ = nullptr;
  std::size_t capacity_ = 0;
};

// May be used by several threads.
class Memory : public std::enable_shared_from_this<Memory> {
 public:
  static constexpr std::size_t kMostBlocks = 64;
  static constexpr std::size_t kLeastBlocks = 3;

  // Keeps up to `most` bytes that nobody has, in up to kMostBlocks blocks; but kLeastBlocks of any size.
  static std::shared_ptr<Memory> make(std::size_t most);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory();

  // A block of at least `size` bytes, of any contents. Throws std::bad_alloc.
  Block take(std::size_t size);

  // Sees to it that so many blocks of `size` bytes are there for take(), with all their pages. Throws
  // std::bad_alloc.
  void provide(std::size_t size, std::size_t blocks);
  bool provides(std::size_t size, std::size_t blocks) const;  // whether they are there already

  std::size_t kept() const;  // bytes that nobody has

 private:
  friend class Block;
  struct Kept {
    std::byte* data;
    std::size_t capacity;
  };

  explicit Memory(std::size_t most) : most_(most) { free_.reserve(kMostBlocks); }
  Block fresh(std::size_t capacity);
  void give_back(std::byte* data, std::size_t capacity) noexcept;

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::vector<Kept> free_;  // that was given back last stands last
  std::size_t bytes_ = 0;   // of all these
};

}  // namespace bindrt::live
