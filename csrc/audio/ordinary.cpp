// Looks at the headers of WAV and FLAC files.
#include "csrc/audio/ordinary.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace bindrt::audio {
namespace {

constexpr int kMostChunks = 1000;
constexpr std::int64_t kNear = 1 << 16;  // so close to 2 GiB stands a size that was not known
constexpr std::int64_t kLargest = std::int64_t{1} << 32;

std::uint32_t little(const std::uint8_t* bytes, int count) noexcept {
  std::uint32_t value = 0;
  for (int i = count - 1; i >= 0; --i) {
    value = value << 8 | bytes[i];
  }
  return value;
}

// Codecs of WAV: PCM, floats, A-law, µ-law. An extensible header names the codec further behind.
bool is_plain_format(const Input& input, std::int64_t at, std::int64_t length) noexcept {
  constexpr std::uint32_t kExtensible = 0xFFFE;
  constexpr std::int64_t kTag = 24;
  std::uint8_t bytes[kTag + 2] = {};
  if (length < 16 || input.read(at, bytes, sizeof bytes) < 16) {
    return false;
  }
  std::uint32_t tag = little(bytes, 2);
  if (tag == kExtensible) {
    tag = length >= kTag + 2 ? little(bytes + kTag, 2) : 0;
  }
  return tag == 1 || tag == 3 || tag == 6 || tag == 7;
}

// Whether so many bytes of samples can be what the file has from `at` on.
bool is_right_size(std::int64_t value, std::int64_t rest) noexcept {
  const bool unknown = std::llabs(value - kLargest / 2) <= kNear && rest - value > kNear;
  return value > 0 && value <= rest && !unknown;
}

}  // namespace

bool is_ordinary_wav(const Input& input) noexcept {
  std::uint8_t head[12] = {};
  if (input.size() > kLargest || input.read(0, head, sizeof head) != sizeof head ||
      std::memcmp(head, "RIFF", 4) != 0 || std::memcmp(head + 8, "WAVE", 4) != 0) {
    return false;
  }
  bool plain = false;
  std::int64_t at = sizeof head;
  for (int chunk = 0; chunk < kMostChunks; ++chunk) {
    if (input.read(at, head, 8) != 8) {
      return false;
    }
    const std::int64_t length = little(head + 4, 4);
    at += 8;
    if (std::memcmp(head, "data", 4) == 0) {
      return plain && is_right_size(length, input.size() - at);
    }
    if (std::memcmp(head, "fmt ", 4) == 0) {
      if (plain || !is_plain_format(input, at, length)) {
        return false;
      }
      plain = true;
    }
    at += length + length % 2;
  }
  return false;
}

bool is_ordinary_flac(std::span<const std::byte> bytes) noexcept {
  // A further recording begins like the first, with STREAMINFO; a frame is hardly ever like that.
  constexpr std::string_view kBegin = "fLaC";
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kBegin)) {
    return false;
  }
  for (std::size_t at = 1; at + 8 <= text.size(); ++at) {
    const void* const found = memmem(text.data() + at, text.size() - at, kBegin.data(), kBegin.size());
    if (found == nullptr) {
      break;
    }
    at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    if (at + 8 <= text.size() && (text[at + 4] == '\0' || text[at + 4] == '\x80') &&
        text.substr(at + 5, 3) == std::string_view("\0\0\x22", 3)) {
      return false;
    }
  }
  return true;
}

}  // namespace bindrt::audio
