// The bytes of a sound file: in memory, or in a file that is read piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace bindrt::audio {

class Input {
 public:
  // Bytes that the caller keeps.
  explicit Input(std::span<const std::byte> bytes) noexcept;
  // A regular file that is not empty; nullopt for any other.
  static std::optional<Input> open(const std::string& path);

  Input(Input&&) noexcept;
  Input& operator=(Input&&) = delete;
  ~Input();

  std::int64_t size() const noexcept { return size_; }

  // Copies at most `count` bytes from position `at` on; how many there were. 0 also if they cannot be read.
  std::int64_t read(std::int64_t at, void* to, std::int64_t count) const noexcept;

  // All bytes, read to memory if they are not there yet; nullopt if they cannot be read.
  std::optional<std::span<const std::byte>> hold();

 private:
  explicit Input(int file, std::int64_t size) noexcept : file_(file), size_(size) {}

  int file_ = -1;
  std::int64_t size_ = 0;
  const std::byte* bytes_ = nullptr;  // null: not in memory
  std::unique_ptr<std::byte[]> held_;
};

}  // namespace bindrt::audio
