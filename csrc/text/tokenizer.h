// CLIP's byte pair encoding of plain texts.
//
// A plain text is of printable ASCII and ordinary white space. Nothing in it can be an HTML entity, a
// repaired character or a special token, so cleaning it is no more than lower case and words. All else is
// left to Python.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace bindrt::text {

// The vocabulary as numbers of tokens.
struct Vocabulary {
  static constexpr std::int32_t kNone = -1;
  // The token of an ASCII character, inside a word and at its end; kNone where there is none.
  std::array<std::int32_t, 128> inside;
  std::array<std::int32_t, 128> at_end;
  // Two tokens that become one: the pair of rank i becomes token first_merged + i. Lower ranks merge first.
  std::vector<std::array<std::int32_t, 2>> merges;
  std::int32_t first_merged = 0;
  std::int32_t start = 0;
  std::int32_t end = 0;
};

class Tokenizer {
 public:
  static constexpr std::size_t kMostCharacters = 1000;

  // Throws std::invalid_argument for numbers that are no vocabulary.
  explicit Tokenizer(const Vocabulary& vocabulary);

  // Writes start, the text's tokens, end, and zeros up to the end of `ids`. Returns how many there are with
  // start and end; 0, with `ids` undefined, for a text that is left to Python: it is not plain, it is long,
  // or its tokens do not fit. May be called by several threads.
  std::size_t encode(std::string_view text, std::span<std::int64_t> ids) const;

 private:
  // A pair of tokens and what it becomes, in a table with open addressing; its size is a power of two.
  struct Merge {
    std::uint32_t pair;
    std::int32_t merged;
  };

  std::int32_t merged(std::int32_t left, std::int32_t right) const noexcept;
  std::size_t encode_word(std::string_view word, std::span<std::int64_t> ids) const;

  std::array<std::int32_t, 128> inside_;
  std::array<std::int32_t, 128> at_end_;
  std::int32_t start_;
  std::int32_t end_;
  std::vector<Merge> merges_;
};

}  // namespace bindrt::text
