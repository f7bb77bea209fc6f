// A vocabulary of all ASCII characters and a few pairs, for tests of the tokenizer.
#pragma once

#include "csrc/text/tokenizer.h"

namespace bindrt::text {

inline constexpr std::int32_t kEndOffset = 128;  // a character at the end of a word
inline constexpr std::int32_t kFirstMerged = 256;
inline constexpr std::int32_t kStart = 300;
inline constexpr std::int32_t kEnd = 301;

inline std::int32_t inside(char c) { return static_cast<std::int32_t>(c); }
inline std::int32_t at_end(char c) { return static_cast<std::int32_t>(c) + kEndOffset; }

// 256: "aa", 257: "ab", 258: "aaab" at an end, 259: "bc" at an end.
inline Vocabulary small_vocabulary() {
  Vocabulary made{{}, {}, {}, kFirstMerged, kStart, kEnd};
  for (int c = 0; c < 128; ++c) {
    made.inside[static_cast<std::size_t>(c)] = c;
    made.at_end[static_cast<std::size_t>(c)] = c + kEndOffset;
  }
  made.merges = {
      {inside('a'), inside('a')}, {inside('a'), at_end('b')}, {256, 257}, {inside('b'), at_end('c')}};
  return made;
}

}  // namespace bindrt::text
