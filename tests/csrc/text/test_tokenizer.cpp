// Words and merges of plain texts, and what is left to Python. That the tokens are CLIP's:
// tests/runtime/preprocess/test_tokens.py.

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/cpp/check.h"
#include "tests/csrc/text/small_vocabulary.h"

namespace bindrt::text {
namespace {

using Ids = std::vector<std::int64_t>;

// With start and end, and without the zeros; empty for a text that is left to Python.
Ids encode(const std::string& text, std::size_t length = 20) {
  static const Tokenizer tokenizer(small_vocabulary());
  Ids ids(length, -7);
  const std::size_t count = tokenizer.encode(text, ids);
  for (std::size_t i = count; count > 0 && i < length; ++i) {
    CHECK(ids[i] == 0);
  }
  ids.resize(count);
  return ids;
}

Ids between(const Ids& tokens) {
  Ids all{kStart};
  all.insert(all.end(), tokens.begin(), tokens.end());
  all.push_back(kEnd);
  return all;
}

void test_words() {
  CHECK(encode("") == between({}));
  CHECK(encode(" \t\r\n ") == between({}));
  CHECK(encode("x") == between({at_end('x')}));
  CHECK(encode("xY z") == between({inside('x'), at_end('y'), at_end('z')}));
  CHECK(encode("12") == between({at_end('1'), at_end('2')}));
  CHECK(encode("x1y") == between({at_end('x'), at_end('1'), at_end('y')}));
  CHECK(encode("!?x") == between({inside('!'), at_end('?'), at_end('x')}));
  CHECK(encode("x_y") == between({at_end('x'), at_end('_'), at_end('y')}));
}

void test_english_endings() {
  for (const std::string ending : {"s", "T", "m", "d"}) {
    const char c = static_cast<char>(ending[0] | 0x20);
    CHECK(encode("x'" + ending) == between({at_end('x'), inside('\''), at_end(c)}));
  }
  CHECK(encode("x'VE") == between({at_end('x'), inside('\''), inside('v'), at_end('e')}));
  CHECK(encode("x're") == between({at_end('x'), inside('\''), inside('r'), at_end('e')}));
  CHECK(encode("x'll") == between({at_end('x'), inside('\''), inside('l'), at_end('l')}));
  CHECK(encode("x'lx") == between({at_end('x'), at_end('\''), inside('l'), at_end('x')}));
  CHECK(encode("x'sx") == between({at_end('x'), inside('\''), at_end('s'), at_end('x')}));
  CHECK(encode("''s") == between({inside('\''), at_end('\''), at_end('s')}));
  CHECK(encode("'") == between({at_end('\'')}));
}

void test_lower_ranks_merge_first_and_from_the_left() {
  CHECK(encode("ab") == between({257}));
  CHECK(encode("aab") == between({256, at_end('b')}));  // "aa" is of a lower rank than "ab"
  CHECK(encode("aaab") == between({258}));              // "aa", then "ab", then both
  CHECK(encode("aaaab") == between({256, 256, at_end('b')}));
  CHECK(encode("aaax") == between({256, inside('a'), at_end('x')}));
  CHECK(encode("abx") == between({inside('a'), inside('b'), at_end('x')}));  // "ab" is one at an end only
  CHECK(encode("abc") == between({inside('a'), 259}));
}

void test_what_is_left_to_python() {
  for (const std::string text : {"a&b", "\x1b[0m", "caf\xc3\xa9", "a\x7f", "a\x0b", "<|endoftext|>"}) {
    CHECK(encode(text).empty());
  }
  CHECK(encode(std::string("a\0b", 3)).empty());
  CHECK(encode("<b|").size() == 5);
  CHECK(encode("1 2 3", 5).size() == 5);
  CHECK(encode("1 2 3 4", 5).empty());  // more tokens than there is room for
  CHECK(encode("", 2).size() == 2);
  CHECK(encode("", 1).empty());
  CHECK(!encode(std::string(Tokenizer::kMostCharacters, ' ')).empty());
  CHECK(encode(std::string(Tokenizer::kMostCharacters + 1, ' ')).empty());
  CHECK(encode(std::string(Tokenizer::kMostCharacters, 'x'), 2000).size() == Tokenizer::kMostCharacters + 2);
}

void refused(const Vocabulary& vocabulary) {
  bool was_refused = false;
  try {
    const Tokenizer tokenizer(vocabulary);
  } catch (const std::invalid_argument&) {
    was_refused = true;
  }
  CHECK(was_refused);
}

void test_numbers_that_are_no_vocabulary() {
  Vocabulary wrong = small_vocabulary();
  wrong.start = -1;
  refused(wrong);
  wrong = small_vocabulary();
  wrong.inside['a'] = Vocabulary::kNone;
  refused(wrong);
  wrong = small_vocabulary();
  wrong.merges.push_back(wrong.merges.front());
  refused(wrong);
  wrong = small_vocabulary();
  wrong.merges.push_back({1 << 16, 0});
  refused(wrong);
  wrong = small_vocabulary();
  wrong.first_merged = (1 << 16) - 1;
  refused(wrong);
}

}  // namespace
}  // namespace bindrt::text

int main() {
  using namespace bindrt::text;
  test_words();
  test_english_endings();
  test_lower_ranks_merge_first_and_from_the_left();
  test_what_is_left_to_python();
  test_numbers_that_are_no_vocabulary();
  return bindrt::testing::finish();
}
