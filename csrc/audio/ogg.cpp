// Walks the pages of an OGG file.
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "csrc/audio/ordinary.h"

namespace bindrt::audio {
namespace {

constexpr std::size_t kHead = 27;  // bytes of a page before its table of segments
constexpr std::size_t kSum = 22;   // where its check sum stands
constexpr std::uint8_t kBegins = 2;
constexpr int kAtOnce = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, kAtOnce>;

// tables[k][b]: what byte b does to the sum when k more bytes follow it.
constexpr Tables make_tables() noexcept {
  constexpr std::uint32_t kPolynomial = 0x04C11DB7;
  Tables tables = {};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte << 24;
    for (int bit = 0; bit < 8; ++bit) {
      sum = sum << 1 ^ ((sum >> 31) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = sum;
  }
  for (std::size_t k = 1; k < kAtOnce; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = before << 8 ^ tables[0][before >> 24];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

// The CRC-32 of OGG goes on over some bytes: the highest bit first, from 0.
std::uint32_t sum_on(std::uint32_t sum, const std::uint8_t* bytes, std::size_t count) noexcept {
  for (; count >= kAtOnce; count -= kAtOnce, bytes += kAtOnce) {
    sum = kTables[7][bytes[0] ^ sum >> 24] ^ kTables[6][bytes[1] ^ (sum >> 16 & 0xFF)] ^
          kTables[5][bytes[2] ^ (sum >> 8 & 0xFF)] ^ kTables[4][bytes[3] ^ (sum & 0xFF)] ^
          kTables[3][bytes[4]] ^ kTables[2][bytes[5]] ^ kTables[1][bytes[6]] ^ kTables[0][bytes[7]];
  }
  for (; count > 0; --count, ++bytes) {
    sum = sum << 8 ^ kTables[0][sum >> 24 ^ *bytes];
  }
  return sum;
}

std::uint32_t little(const std::uint8_t* bytes) noexcept {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

// A page: its head, its table of segments and its data.
struct Page {
  const std::uint8_t* head;
  std::size_t segments;
  std::size_t size;

  std::uint8_t flags() const noexcept { return head[5]; }
  std::uint32_t serial() const noexcept { return little(head + 14); }
  std::uint32_t number() const noexcept { return little(head + 18); }
  const std::uint8_t* data() const noexcept { return head + kHead + segments; }

  bool is_undamaged() const noexcept {
    constexpr std::uint8_t kNoSum[4] = {};
    std::uint32_t sum = sum_on(0, head, kSum);
    sum = sum_on(sum, kNoSum, sizeof kNoSum);
    sum = sum_on(sum, head + kSum + 4, size - kSum - 4);
    return sum == little(head + kSum);
  }

  // How many packets end in it.
  int packets() const noexcept {
    int ends = 0;
    for (std::size_t i = 0; i < segments; ++i) {
      ends += head[kHead + i] < 255 ? 1 : 0;
    }
    return ends;
  }
};

// The page that begins at `bytes`; false if it is cut, or none does.
bool page_at(std::span<const std::uint8_t> bytes, Page& page) noexcept {
  if (bytes.size() < kHead || std::memcmp(bytes.data(), "OggS", 4) != 0) {
    return false;
  }
  page = {bytes.data(), bytes[26], kHead + bytes[26]};
  if (bytes.size() < page.size) {
    return false;
  }
  for (std::size_t i = 0; i < page.segments; ++i) {
    page.size += bytes[kHead + i];
  }
  return bytes.size() >= page.size;
}

// How many packets of headers a stream has that begins with this page; 0 for a codec that is left to others.
int headers_of(const Page& page) noexcept {
  constexpr std::string_view kVorbis = "\x01vorbis";
  constexpr std::string_view kOpus = "OpusHead";
  const std::string_view text(reinterpret_cast<const char*>(page.data()), page.size - kHead - page.segments);
  return text.starts_with(kVorbis) ? 3 : text.starts_with(kOpus) ? 2 : 0;
}

}  // namespace

bool is_ordinary_ogg(std::span<const std::byte> bytes) noexcept {
  std::span<const std::uint8_t> rest(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  Page first{};
  if (!page_at(rest, first) || (first.flags() & kBegins) == 0 || first.packets() != 1) {
    return false;
  }
  const int headers = headers_of(first);
  std::int64_t packets = 0;
  std::uint32_t number = first.number();
  for (Page page{}; !rest.empty(); rest = rest.subspan(page.size), ++number) {
    const bool is_first = packets == 0;
    if (!page_at(rest, page) || page.serial() != first.serial() || page.number() != number ||
        ((page.flags() & kBegins) != 0) != is_first || !page.is_undamaged()) {
      return false;
    }
    packets += page.packets();
  }
  // libsndfile does not give back all its memory after a file that ends within the headers.
  return headers > 0 && packets > headers;
}

}  // namespace bindrt::audio
