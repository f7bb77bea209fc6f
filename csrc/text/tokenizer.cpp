// Words of a plain text, and merging the characters of each by rank.

#include "csrc/text/tokenizer.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace bindrt::text {
namespace {

constexpr std::int32_t kNoMerge = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMostTokens = 1 << 16;  // a pair of them has 32 bits

enum class Kind : std::uint8_t { kUnusual, kSpace, kLetter, kDigit, kOther };

constexpr std::array<Kind, 256> kinds() {
  std::array<Kind, 256> all{};
  for (int c = 0x21; c <= 0x7e; ++c) {
    all[static_cast<std::size_t>(c)] = Kind::kOther;
  }
  for (int c = 'a'; c <= 'z'; ++c) {
    all[static_cast<std::size_t>(c)] = all[static_cast<std::size_t>(c - 'a' + 'A')] = Kind::kLetter;
  }
  for (int c = '0'; c <= '9'; ++c) {
    all[static_cast<std::size_t>(c)] = Kind::kDigit;
  }
  for (const char c : {' ', '\t', '\n', '\r'}) {
    all[static_cast<std::size_t>(c)] = Kind::kSpace;
  }
  all['&'] = Kind::kUnusual;  // an HTML entity may begin here
  return all;
}

constexpr std::array<Kind, 256> kKinds = kinds();

Kind kind(char c) { return kKinds[static_cast<unsigned char>(c)]; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The length of an English ending such as 've at the beginning of the text; 0 if there is none.
std::size_t ending(std::string_view text) {
  if (text.size() < 2 || text[0] != '\'') {
    return 0;
  }
  const char first = lower(text[1]);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') {
    return 2;
  }
  const char second = text.size() > 2 ? lower(text[2]) : '\0';
  const bool is_long =
      (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
  return is_long ? 3 : 0;
}

// The length of the word at the beginning of the text, which is no white space: an English ending, letters,
// one digit, or other characters.
std::size_t word_length(std::string_view text) {
  if (const std::size_t length = ending(text)) {
    return length;
  }
  const Kind of = kind(text[0]);
  if (of == Kind::kDigit) {
    return 1;
  }
  std::size_t length = 1;
  while (length < text.size() && kind(text[length]) == of) {
    ++length;
  }
  return length;
}

std::uint32_t pair_of(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint32_t>(left) << 16 | static_cast<std::uint32_t>(right);
}

std::size_t place_of(std::uint32_t pair, std::size_t size) {
  return (pair * std::uint64_t{0x9E3779B97F4A7C15} >> 32) & (size - 1);
}

}  // namespace

Tokenizer::Tokenizer(const Vocabulary& vocabulary)
    : inside_(vocabulary.inside), at_end_(vocabulary.at_end), start_(vocabulary.start), end_(vocabulary.end) {
  const auto require = [](bool good) {
    if (!good) {
      throw std::invalid_argument("these numbers are no vocabulary");
    }
  };
  const auto is_token = [](std::int32_t token) { return token >= 0 && token < kMostTokens; };
  require(is_token(start_) && is_token(end_) && is_token(vocabulary.first_merged));
  require(vocabulary.merges.size() <= static_cast<std::size_t>(kMostTokens - vocabulary.first_merged));
  for (std::size_t c = 0; c < inside_.size(); ++c) {
    const bool is_used = kKinds[c] > Kind::kSpace;
    require(!is_used || (is_token(inside_[c]) && is_token(at_end_[c])));
  }
  std::size_t size = 2;
  while (size < 2 * vocabulary.merges.size()) {
    size *= 2;
  }
  merges_.assign(size, {0, kNoMerge});
  std::int32_t token = vocabulary.first_merged;
  for (const auto& [left, right] : vocabulary.merges) {
    require(is_token(left) && is_token(right));
    const std::uint32_t pair = pair_of(left, right);
    std::size_t at = place_of(pair, size);
    while (merges_[at].merged != kNoMerge) {
      require(merges_[at].pair != pair);
      at = (at + 1) & (size - 1);
    }
    merges_[at] = {pair, token++};
  }
}

// What a pair becomes; kNoMerge, which is larger than every token, if it stays.
std::int32_t Tokenizer::merged(std::int32_t left, std::int32_t right) const noexcept {
  const std::uint32_t pair = pair_of(left, right);
  std::size_t at = place_of(pair, merges_.size());
  while (merges_[at].merged != kNoMerge && merges_[at].pair != pair) {
    at = (at + 1) & (merges_.size() - 1);
  }
  return merges_[at].merged;
}

// The number of the word's tokens; 0 if they do not fit.
std::size_t Tokenizer::encode_word(std::string_view word, std::span<std::int64_t> ids) const {
  std::array<std::int32_t, kMostCharacters> tokens;
  std::array<std::int32_t, kMostCharacters> becomes;  // what a token and the next one become
  std::size_t count = word.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto c = static_cast<std::size_t>(lower(word[i]));
    tokens[i] = i + 1 < count ? inside_[c] : at_end_[c];
  }
  for (std::size_t i = 0; i + 1 < count; ++i) {
    becomes[i] = merged(tokens[i], tokens[i + 1]);
  }
  while (count > 1) {
    const auto pairs_end = becomes.begin() + static_cast<std::ptrdiff_t>(count - 1);
    const auto first = std::min_element(becomes.begin(), pairs_end);  // the leftmost of the lowest rank
    if (*first == kNoMerge) {
      break;
    }
    const auto at = static_cast<std::size_t>(first - becomes.begin());
    tokens[at] = *first;
    std::copy(tokens.begin() + static_cast<std::ptrdiff_t>(at + 2),
              tokens.begin() + static_cast<std::ptrdiff_t>(count),
              tokens.begin() + static_cast<std::ptrdiff_t>(at + 1));
    std::copy(first + 1, pairs_end, first);
    --count;
    if (at > 0) {
      becomes[at - 1] = merged(tokens[at - 1], tokens[at]);
    }
    if (at + 1 < count) {
      becomes[at] = merged(tokens[at], tokens[at + 1]);
    }
  }
  if (count > ids.size()) {
    return 0;
  }
  std::copy_n(tokens.begin(), count, ids.begin());
  return count;
}

std::size_t Tokenizer::encode(std::string_view text, std::span<std::int64_t> ids) const {
  if (text.size() > kMostCharacters || ids.size() < 2) {
    return 0;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_special = text[i] == '<' && i + 1 < text.size() && text[i + 1] == '|';  // <|endoftext|>
    if (kind(text[i]) == Kind::kUnusual || is_special) {
      return 0;
    }
  }
  std::size_t count = 0;
  ids[count++] = start_;
  while (!text.empty()) {
    if (kind(text[0]) == Kind::kSpace) {
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = word_length(text);
    const std::size_t more = encode_word(text.substr(0, length), ids.subspan(count, ids.size() - 1 - count));
    if (more == 0) {
      return 0;
    }
    count += more;
    text.remove_prefix(length);
  }
  ids[count++] = end_;
  std::fill(ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(), 0);
  return count;
}

}  // namespace bindrt::text
