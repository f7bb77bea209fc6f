// Keeps blocks that nobody has, and hands them out again.
#include "csrc/live/memory.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace bindrt::live {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kPage = 4096;

// Blocks of nearly the same size are alike.
std::size_t capacity_for(std::size_t size) noexcept {
  return size <= kPage ? std::bit_ceil(std::max<std::size_t>(size, 64)) : (size + kPage - 1) / kPage * kPage;
}

// Whether a block may be used for so many bytes: it is not far too large.
bool suits(std::size_t capacity, std::size_t wanted) noexcept {
  return capacity >= wanted && capacity / 2 <= wanted;
}

void release(std::byte* data) noexcept { ::operator delete(data, kAlignment); }

}  // namespace

Block::Block(Block&& other) noexcept
    : memory_(std::move(other.memory_)),
      data_(std::exchange(other.data_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Block& Block::operator=(Block&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

Block::~Block() {
  if (data_ != nullptr) {
    memory_->give_back(data_, capacity_);
  }
}

std::shared_ptr<Memory> Memory::make(std::size_t most) { return std::shared_ptr<Memory>(new Memory(most)); }

Memory::~Memory() {
  for (const Kept& each : free_) {
    release(each.data);
  }
}

Block Memory::take(std::size_t size) {
  const std::size_t wanted = capacity_for(size);
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(free_.rbegin(), free_.rend(),
                                    [wanted](const Kept& each) { return suits(each.capacity, wanted); });
    if (found != free_.rend()) {
      const Kept kept = *found;
      free_.erase(std::next(found).base());
      bytes_ -= kept.capacity;
      return {shared_from_this(), kept.data, kept.capacity};
    }
  }
  return fresh(wanted);
}

Block Memory::fresh(std::size_t capacity) {
  return {shared_from_this(), static_cast<std::byte*>(::operator new(capacity, kAlignment)), capacity};
}

bool Memory::provides(std::size_t size, std::size_t blocks) const {
  const std::size_t wanted = capacity_for(size);
  const std::lock_guard lock(mutex_);
  const auto suitable = std::count_if(free_.begin(), free_.end(),
                                      [wanted](const Kept& each) { return suits(each.capacity, wanted); });
  return static_cast<std::size_t>(suitable) >= blocks;
}

void Memory::provide(std::size_t size, std::size_t blocks) {
  blocks = std::min(blocks, kLeastBlocks);
  for (std::size_t i = 0; i < blocks && !provides(size, blocks); ++i) {
    const Block block = fresh(capacity_for(size));
    for (std::size_t at = 0; at < size; at += kPage) {
      *const_cast<volatile std::byte*>(block.data() + at) = std::byte{0};  // the system gives a page
    }
  }
}

std::size_t Memory::kept() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

// What was kept longest makes room: pieces may have another size now.
void Memory::give_back(std::byte* data, std::size_t capacity) noexcept {
  for (;;) {
    std::byte* longest = nullptr;
    {
      const std::lock_guard lock(mutex_);
      const bool fits = free_.size() < kMostBlocks && bytes_ + capacity <= most_;
      if (fits || free_.size() < kLeastBlocks) {
        free_.push_back({data, capacity});
        bytes_ += capacity;
        return;
      }
      longest = free_.front().data;
      bytes_ -= free_.front().capacity;
      free_.erase(free_.begin());
    }
    release(longest);
  }
}

}  // namespace bindrt::live
