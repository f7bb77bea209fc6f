// MP4 and Matroska files made by hand: boxes and elements, as far as claims.h looks at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "csrc/audio/input.h"

namespace bindrt::testing {

using namespace std::string_literals;

inline std::string big(std::uint64_t number, int bytes) {
  std::string made;
  for (int i = bytes - 1; i >= 0; --i) {
    made.push_back(i < 8 ? static_cast<char>(number >> (8 * i) & 0xFF) : '\0');
  }
  return made;
}

inline std::string box(const std::string& kind, const std::string& content) {
  return big(content.size() + 8, 4) + kind + content;
}

// A table with its count, and rows of four bytes each.
inline std::string table(const std::string& kind, std::uint64_t count,
                         std::initializer_list<std::uint64_t> numbers) {
  std::string content = big(0, 4) + big(count, 4);
  for (const std::uint64_t number : numbers) {
    content += big(number, 4);
  }
  return box(kind, content);
}

// Sizes of packets: all `size`, or those that are given.
inline std::string sizes(std::uint64_t size, std::uint64_t count,
                         std::initializer_list<std::uint64_t> each = {}) {
  std::string content = big(0, 4) + big(size, 4) + big(count, 4);
  for (const std::uint64_t number : each) {
    content += big(number, 4);
  }
  return box("stsz", content);
}

inline std::string handler(const std::string& kind) { return box("hdlr", big(0, 8) + kind + big(0, 13)); }

inline std::string track(const std::string& kind, const std::string& tables) {
  return box("trak", box("mdia", handler(kind) + box("minf", box("stbl", tables))));
}

inline std::string mp4(const std::string& tracks, std::size_t data = 0) {
  return box("ftyp", "isom"s + big(0, 4)) + box("moov", tracks) + box("mdat", std::string(data, 'x'));
}

// An element of Matroska with a length of eight bytes.
inline std::string element(std::uint64_t id, int id_bytes, const std::string& content) {
  return big(id, id_bytes) + "\1"s + big(content.size(), 7) + content;
}

inline std::string matroska(const std::string& blocks) {
  return element(0x1A45DFA3, 4, "head") + element(0x18538067, 4, element(0x1F43B675, 4, blocks));
}

// A block of a track, with so many packets if it has more than one.
inline std::string block(int packets) {
  const std::string laced = packets > 1 ? "\x06"s + big(static_cast<std::uint64_t>(packets - 1), 1) : "\0"s;
  return element(0xA3, 1, "\x81\0\0"s + laced + "data");
}

inline audio::Input input_of(const std::string& file) { return audio::Input(std::as_bytes(std::span(file))); }

}  // namespace bindrt::testing
