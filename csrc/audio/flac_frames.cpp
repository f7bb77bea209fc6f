// Walks the frames of a FLAC file: a frame ends where the next one begins, which its check sums confirm.
#include "csrc/audio/flac_frames.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>

namespace bindrt::audio {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kAtOnce = 8;
constexpr std::size_t kInfo = 34;  // bytes of STREAMINFO

// tables[k][b]: what byte b does to a sum of `Sum`'s width when k more bytes follow it.
template <class Sum, std::size_t Count>
constexpr std::array<std::array<Sum, 256>, Count> make_tables(Sum polynomial) noexcept {
  constexpr int kBits = static_cast<int>(sizeof(Sum)) * 8;
  std::array<std::array<Sum, 256>, Count> tables = {};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned sum = byte << (kBits - 8);
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum << 1) ^ ((sum >> (kBits - 1) & 1) != 0 ? polynomial : 0U);
    }
    tables[0][byte] = static_cast<Sum>(sum);
  }
  for (std::size_t k = 1; k < Count; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const unsigned before = tables[k - 1][byte];
      tables[k][byte] = static_cast<Sum>((before << 8) ^ tables[0][before >> (kBits - 8)]);
    }
  }
  return tables;
}

constexpr auto kSums8 = make_tables<std::uint8_t, 1>(0x07);
constexpr auto kSums16 = make_tables<std::uint16_t, kAtOnce>(0x8005);

std::uint8_t sum_8(Bytes bytes) noexcept {
  std::uint8_t sum = 0;
  for (const std::uint8_t byte : bytes) {
    sum = kSums8[0][sum ^ byte];
  }
  return sum;
}

std::uint16_t sum_16_on(std::uint16_t sum, Bytes bytes) noexcept {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kAtOnce; left -= kAtOnce, at += kAtOnce) {
    sum = kSums16[7][at[0] ^ sum >> 8] ^ kSums16[6][at[1] ^ (sum & 0xFF)] ^ kSums16[5][at[2]] ^
          kSums16[4][at[3]] ^ kSums16[3][at[4]] ^ kSums16[2][at[5]] ^ kSums16[1][at[6]] ^ kSums16[0][at[7]];
  }
  for (; left > 0; --left, ++at) {
    sum = static_cast<std::uint16_t>(sum << 8 ^ kSums16[0][sum >> 8 ^ *at]);
  }
  return sum;
}

struct Header {
  std::size_t size = 0;      // its bytes, with the check sum
  std::uint64_t number = 0;  // of the frame, or of its first sample where sizes differ
  std::int64_t samples = 0;  // of each channel
};

// A number as UTF-8 writes it, of up to seven bytes; how many there are, 0 for none.
std::size_t read_number(Bytes bytes, std::uint64_t& number) noexcept {
  const auto ones = static_cast<std::size_t>(bytes.empty() ? 0 : std::countl_one(bytes[0]));
  const std::size_t size = ones == 0 ? 1 : ones;
  if (bytes.size() < size || ones == 1 || ones > 7) {
    return 0;
  }
  number = ones == 0 ? bytes[0] : bytes[0] & (0x7FU >> ones);
  for (std::size_t i = 1; i < size; ++i) {
    if ((bytes[i] & 0xC0) != 0x80) {
      return 0;
    }
    number = number << 6 | (bytes[i] & 0x3FU);
  }
  return size;
}

// The header that `bytes` begin with; nothing if none does.
std::optional<Header> header_of(Bytes bytes) noexcept {
  constexpr std::size_t kFixed = 4;
  if (bytes.size() < kFixed + 2 || bytes[0] != 0xFF || (bytes[1] & 0xFE) != 0xF8 || (bytes[3] & 1) != 0) {
    return std::nullopt;
  }
  const unsigned block = bytes[2] >> 4;
  const unsigned rate = bytes[2] & 15U;
  Header header;
  const std::size_t number = read_number(bytes.subspan(kFixed), header.number);
  std::size_t at = kFixed + number;
  const std::size_t more = (block == 6   ? 1U
                            : block == 7 ? 2U
                                         : 0U) +
                           (rate == 12   ? 1U
                            : rate >= 13 ? 2U
                                         : 0U);
  if (number == 0 || block == 0 || rate == 15 || bytes.size() < at + more + 1) {
    return std::nullopt;
  }
  if (block == 6) {
    header.samples = bytes[at] + 1;
  } else if (block == 7) {
    header.samples = (bytes[at] << 8 | bytes[at + 1]) + 1;
  } else {
    header.samples = block == 1 ? 192 : block < 6 ? 576 << (block - 2) : 256 << (block - 8);
  }
  at += more;
  header.size = at + 1;
  return sum_8(bytes.first(at)) == bytes[at] ? std::optional(header) : std::nullopt;
}

// Where the frame that `bytes` begin with ends and frame `next` begins; 0: nowhere.
std::size_t frame_end(Bytes bytes, std::size_t header, std::uint64_t next) noexcept {
  std::uint16_t sum = 0;
  std::size_t summed = 0;
  for (std::size_t at = header + 2; at < bytes.size(); ++at) {
    const void* const found = std::memchr(bytes.data() + at, 0xFF, bytes.size() - at);
    if (found == nullptr) {
      break;
    }
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
    const auto following = header_of(bytes.subspan(at));
    if (!following || following->number != next) {
      continue;
    }
    sum = sum_16_on(sum, bytes.subspan(summed, at - summed));
    summed = at;
    if (sum == 0) {
      return at;
    }
  }
  return 0;
}

// Samples of each channel as STREAMINFO says, and what stands behind the metadata; nothing if they are
// damaged.
struct Body {
  std::int64_t samples = 0;
  Bytes frames;
};

std::optional<Body> body_of(Bytes bytes) noexcept {
  constexpr std::size_t kHead = 4;
  if (bytes.size() < 2 * kHead + kInfo || std::memcmp(bytes.data(), "fLaC", kHead) != 0 ||
      (bytes[kHead] & 0x7F) != 0) {
    return std::nullopt;
  }
  Body body;
  const Bytes info = bytes.subspan(2 * kHead, kInfo);
  body.samples = info[13] & 15;
  for (std::size_t i = 14; i < 18; ++i) {
    body.samples = body.samples << 8 | info[i];
  }
  for (std::size_t at = kHead; at + kHead <= bytes.size();) {
    const bool is_last = (bytes[at] & 0x80) != 0;
    const std::size_t size =
        std::size_t{bytes[at + 1]} << 16 | std::size_t{bytes[at + 2]} << 8 | bytes[at + 3];
    at += kHead;
    if (size > bytes.size() - at) {
      break;
    }
    at += size;
    if (is_last) {
      body.frames = bytes.subspan(at);
      return body;
    }
  }
  return std::nullopt;
}

}  // namespace

bool has_all_frames(std::span<const std::byte> bytes) noexcept {
  const auto body = body_of({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!body || body->samples == 0) {
    return false;
  }
  Bytes rest = body->frames;
  std::int64_t left = body->samples;
  std::uint64_t number = 0;
  while (left > 0) {
    const auto header = header_of(rest);
    if (!header || header->number != number || header->samples > left) {
      return false;
    }
    const bool counts_samples = (rest[1] & 1) != 0;
    number += counts_samples ? static_cast<std::uint64_t>(header->samples) : 1;
    left -= header->samples;
    const std::size_t end = frame_end(rest, header->size, number);
    if (left == 0) {
      return end == 0 && sum_16_on(0, rest) == 0;
    }
    if (end == 0) {
      return false;
    }
    rest = rest.subspan(end);
  }
  return false;
}

}  // namespace bindrt::audio
