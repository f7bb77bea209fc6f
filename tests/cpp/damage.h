// Files, and damage to them, chosen from bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/cpp/stress.h"

namespace bindrt::stress {

using File = std::vector<std::uint8_t>;

template <class Byte>
std::vector<Byte> contents(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  std::vector<Byte> bytes;
  std::transform(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>(),
                 std::back_inserter(bytes), [](char byte) { return static_cast<Byte>(byte); });
  return bytes;
}

// Cut, a piece taken out or doubled, or at most `most` bytes changed; as often in the first `front` bytes,
// where the headers are, as anywhere.
template <class Byte>
std::vector<Byte> damaged(std::vector<Byte> file, Bytes& bytes, std::int64_t front, std::int64_t most) {
  const auto place = [&] {
    const auto size = static_cast<std::int64_t>(file.size());
    return static_cast<std::ptrdiff_t>(bytes.range(0, std::min(size, bytes.chance(2) ? front : size) - 1));
  };
  switch (bytes.number(0, 3)) {
    case 0:
      file.resize(static_cast<std::size_t>(place()));
      break;
    case 1: {
      const std::ptrdiff_t a = place();
      const std::ptrdiff_t b = place();
      file.erase(file.begin() + std::min(a, b), file.begin() + std::max(a, b));
      break;
    }
    case 2: {
      const std::vector<Byte> piece(file.begin() + place(), file.end());
      file.insert(file.begin() + place(), piece.begin(), piece.end());
      break;
    }
    default:
      for (std::int64_t left = bytes.small(1, most); left > 0; --left) {
        file[static_cast<std::size_t>(place())] = static_cast<Byte>(bytes.number(0, 255));
      }
  }
  return file;
}

}  // namespace bindrt::stress
