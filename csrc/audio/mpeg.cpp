// Reads headers of MPEG audio frames, and the tags around them.
#include "csrc/audio/mpeg.h"

#include <algorithm>
#include <cstring>

namespace bindrt::audio {
namespace {

constexpr std::size_t kTagHead = 10;
constexpr std::size_t kMostZeros = std::size_t{16} << 20;  // a file that begins with more is damaged

constexpr std::int32_t kRates[4][3] = {
    {11025, 12000, 8000}, {0, 0, 0}, {22050, 24000, 16000}, {44100, 48000, 32000}};
constexpr std::int32_t kKbps1[3][14] = {{32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
                                        {32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
                                        {32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}};
constexpr std::int32_t kKbps2[2][14] = {{32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
                                        {8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}};

// The length of a tag of ID3's second version.
std::size_t id3_length(ByteSpan bytes) noexcept {
  const bool is_tag = bytes.size() >= kTagHead && std::memcmp(bytes.data(), "ID3", 3) == 0 &&
                      ((bytes[6] | bytes[7] | bytes[8] | bytes[9]) & 0x80) == 0;
  if (!is_tag) {
    return 0;
  }
  const std::size_t size = std::size_t{bytes[6]} << 21 | std::size_t{bytes[7]} << 14 |
                           std::size_t{bytes[8]} << 7 | std::size_t{bytes[9]};
  const std::size_t footer = (bytes[5] & 0x10) != 0 ? kTagHead : 0;
  return kTagHead + size + footer;
}

ByteSpan from(ByteSpan bytes, std::size_t at) noexcept { return bytes.subspan(std::min(at, bytes.size())); }

}  // namespace

std::int32_t FrameHeader::side_info() const noexcept {
  const bool first_version = (word >> 19 & 3) == 3;
  if (first_version) {
    return channels == 2 ? 32 : 17;
  }
  return channels == 2 ? 17 : 9;
}

std::optional<FrameHeader> frame_header(ByteSpan bytes, std::size_t at) noexcept {
  if (at > bytes.size() || bytes.size() - at < 4) {
    return std::nullopt;
  }
  const std::uint32_t word = std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
                             std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
  const std::uint32_t version = word >> 19 & 3;
  const auto layer = static_cast<std::int32_t>(4 - (word >> 17 & 3));
  const std::uint32_t bit_rate = word >> 12 & 15;
  const std::uint32_t rate = word >> 10 & 3;
  if (word >> 21 != 0x7FF || version == 1 || layer == 4 || bit_rate == 0 || bit_rate == 15 || rate == 3) {
    return std::nullopt;
  }
  FrameHeader header;
  header.word = word;
  header.layer = layer;
  header.rate = kRates[version][rate];
  header.channels = (word >> 6 & 3) == 3 ? 1 : 2;
  header.samples = layer == 1 ? 384 : layer == 2 || version == 3 ? 1152 : 576;
  const std::int32_t kbps =
      version == 3 ? kKbps1[layer - 1][bit_rate - 1] : kKbps2[layer == 1 ? 0 : 1][bit_rate - 1];
  const std::int32_t unit = layer == 1 ? 4 : 1;
  const auto padding = static_cast<std::int32_t>(word >> 9 & 1);
  header.length = (header.samples / 8 * kbps * 1000 / header.rate / unit + padding) * unit;
  return header;
}

bool begins_frames(ByteSpan bytes, std::size_t at) noexcept {
  const auto first = frame_header(bytes, at);
  const std::size_t second_at = at + static_cast<std::size_t>(first ? first->length : 0);
  const auto second = first ? frame_header(bytes, second_at) : std::nullopt;
  if (!second || !second->follows(*first)) {
    return false;
  }
  const std::size_t third_at = second_at + static_cast<std::size_t>(second->length);
  const auto third = frame_header(bytes, third_at);
  return bytes.size() < third_at + 4 || (third && third->follows(*first));
}

std::size_t sound_start(ByteSpan bytes) noexcept {
  std::size_t at = 0;
  while (const std::size_t length = id3_length(from(bytes, at))) {
    at += length;
  }
  const std::size_t begin = std::min(at, bytes.size());
  const ByteSpan zeros = bytes.subspan(begin).first(std::min(kMostZeros, bytes.size() - begin));
  const auto other = std::find_if(zeros.begin(), zeros.end(), [](std::uint8_t byte) { return byte != 0; });
  return begin + static_cast<std::size_t>(other - zeros.begin());
}

std::size_t tag_length(ByteSpan bytes) noexcept {
  const auto begins = [bytes](const char* text, std::size_t count) {
    return bytes.size() >= count && std::memcmp(bytes.data(), text, count) == 0;
  };
  if (begins("TAG", 3)) {
    return 128;
  }
  if (begins("APETAGEX", 8) && bytes.size() >= 32) {
    const bool header = (bytes[23] & 0x20) != 0;  // it is set in the tag's footer as well
    const std::size_t size =
        bytes[12] | std::size_t{bytes[13]} << 8 | std::size_t{bytes[14]} << 16 | std::size_t{bytes[15]} << 24;
    return 32 + (header ? size : 0);
  }
  return id3_length(bytes);
}

}  // namespace bindrt::audio
