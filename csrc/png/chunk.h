// The chunks that a PNG file is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bindrt::png {

inline constexpr std::size_t kSignatureBytes = 8;  // before the first chunk
inline constexpr std::size_t kAroundChunk = 12;    // bytes beside a chunk's content: length, kind, check sum

inline std::uint32_t number(const std::uint8_t* bytes) noexcept {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
         bytes[3];
}

struct Chunk {
  std::size_t length;
  const std::uint8_t* kind;
  const std::uint8_t* content;

  bool is(const char* name) const noexcept { return std::memcmp(kind, name, 4) == 0; }
  const std::uint8_t* end() const noexcept { return content + length + 4; }
};

// The chunk at `at`; false if the file ends before it does.
inline bool chunk_at(const std::uint8_t* at, const std::uint8_t* end, Chunk& chunk) noexcept {
  const auto left = static_cast<std::size_t>(end - at);
  if (left < kAroundChunk || number(at) > left - kAroundChunk) {
    return false;
  }
  chunk = {number(at), at + 4, at + 8};
  return true;
}

}  // namespace bindrt::png
