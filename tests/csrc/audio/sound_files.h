// Headers of sound files made by hand, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bindrt::testing {

using namespace std::string_literals;

inline std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text.push_back(static_cast<char>(value >> 8 * i));
  }
  return text;
}

inline std::string chunk(std::string_view name, std::string_view data) {
  std::string text = std::string(name) + little(data.size(), 4) + std::string(data);
  return text + (data.size() % 2 != 0 ? "\0"s : ""s);
}

inline std::string wav_format(unsigned tag = 1, unsigned inner = 1) {
  const std::string rest = little(1, 2) + little(8000, 4) + little(16000, 4) + little(2, 2) + little(16, 2);
  const std::string more =
      tag == 0xFFFE ? little(22, 2) + little(16, 2) + little(4, 4) + little(inner, 2) + std::string(14, 'g')
                    : "";
  return chunk("fmt ", little(tag, 2) + rest + more);
}

inline std::string wav(std::string_view chunks) {
  return "RIFF" + little(chunks.size() + 4, 4) + "WAVE" + std::string(chunks);
}

// A check sum from 0, bit by bit, the highest first.
inline std::uint32_t check_sum(std::string_view bytes, int bits, std::uint32_t polynomial) {
  const auto top = std::uint32_t{1} << (bits - 1);
  std::uint32_t sum = 0;
  for (const char byte : bytes) {
    sum ^= std::uint32_t{static_cast<std::uint8_t>(byte)} << (bits - 8);
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum << 1) ^ ((sum & top) != 0 ? polynomial : 0U);
    }
  }
  return sum & (top - 1 + top);
}

inline std::string big(std::uint64_t value, int bytes) {
  const std::string text = little(value, bytes);
  return {text.rbegin(), text.rend()};
}

// A page that holds whole packets.
inline std::string ogg_page(unsigned flags, unsigned serial, unsigned number,
                            const std::vector<std::string>& packets) {
  std::string table;
  std::string data;
  for (const std::string& packet : packets) {
    table += std::string(packet.size() / 255, '\xFF') + static_cast<char>(packet.size() % 255);
    data += packet;
  }
  const std::string head =
      "OggS\0"s + static_cast<char>(flags) + std::string(8, '\0') + little(serial, 4) + little(number, 4);
  const std::string tail = static_cast<char>(table.size()) + table + data;
  return head + little(check_sum(head + "\0\0\0\0"s + tail, 32, 0x04C11DB7), 4) + tail;
}

// A frame of layer 3, version 1, 128 kbit/s at 44.1 kHz, stereo: 417 bytes, 1152 samples.
inline std::string mp3_frame(std::string_view at_36 = "", unsigned header = 0xFFFB9000) {
  std::string frame(417, '\0');
  for (std::size_t i = 0; i < 4; ++i) {
    frame[i] = static_cast<char>(header >> (24 - 8 * i));
  }
  return frame.replace(36, at_36.size(), at_36);
}

// What stands at byte 36 of a frame that promises so many others.
inline std::string xing(std::uint32_t frames, std::uint32_t skip, std::uint32_t drop) {
  return "Xing\0\0\0\1"s + big(frames, 4) + "LAME" + std::string(17, '\0') + big(skip << 12 | drop, 3);
}

// A FLAC frame of 4096 samples with some data; `second` and `third` are its header's.
inline std::string flac_frame(unsigned number, std::string_view data, unsigned second = 0xF8,
                              unsigned third = 0xC9) {
  std::string frame = "\xFF"s + static_cast<char>(second) + static_cast<char>(third) + '\x18';
  if (number < 0x80) {
    frame += static_cast<char>(number);
  } else {  // up to 0x7FF
    frame += {static_cast<char>(0xC0 | number >> 6), static_cast<char>(0x80 | (number & 0x3F))};
  }
  frame += static_cast<char>(check_sum(frame, 8, 0x07));
  frame += data;
  return frame + big(check_sum(frame, 16, 0x8005), 2);
}

// A FLAC file of so many samples: STREAMINFO, a block of zeros, then the frames.
inline std::string flac(std::uint64_t samples, std::string_view frames) {
  const std::string info = big(4096, 2) + big(4096, 2) + std::string(6, '\0') + big(44100 << 4 | 1 << 1, 3) +
                           big(std::uint64_t{0xF} << 36 | samples, 5) + std::string(16, '\0');
  return "fLaC" + big(34, 4) + info + "\x81" + big(9, 3) + std::string(9, '\0') + std::string(frames);
}

inline std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace bindrt::testing
