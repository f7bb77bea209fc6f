// Any bytes as a text: the tokens of each word are those of the word alone, and nothing else is touched.

#include <algorithm>
#include <string_view>

#include "tests/cpp/stress.h"
#include "tests/csrc/text/small_vocabulary.h"

namespace bindrt::stress {

void one_case(Bytes& bytes) {
  static const text::Tokenizer tokenizer(text::small_vocabulary());
  const bool is_plain = !bytes.chance(4);
  const std::int64_t size = bytes.small(0, bytes.chance(50) ? 1100 : 60);
  Exact<char> given(size);
  for (char& c : given) {
    c = is_plain ? bytes.one_of("abc  aab1'sTll!<|\t") : static_cast<char>(bytes.bits(8));
    c = c == '\0' && is_plain ? ' ' : c;
  }
  Exact<std::int64_t> ids(bytes.range(0, 90), bytes.chance(2) ? 0 : 8);
  const std::string_view text(given.data(), static_cast<std::size_t>(size));
  const std::size_t room = static_cast<std::size_t>(ids.size());
  const std::size_t count = tokenizer.encode(text, {ids.data(), room});
  CHECK(ids.intact());
  CHECK(count <= room);
  if (count == 0) {
    return;
  }
  CHECK(ids[0] == text::kStart && ids[static_cast<std::int64_t>(count) - 1] == text::kEnd);
  for (std::int64_t i = 0; i < ids.size(); ++i) {
    CHECK(ids[i] >= 0 && ids[i] <= text::kEnd);
    CHECK(i < static_cast<std::int64_t>(count) || ids[i] == 0);
  }
  std::size_t at = 1;  // of the tokens
  std::int64_t word[text::Tokenizer::kMostCharacters + 2];
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find_first_of(" \t\r\n", from), text.size());
    if (to > from) {
      const std::size_t tokens = tokenizer.encode(text.substr(from, to - from), word) - 2;
      CHECK(at + tokens < count);
      CHECK(std::equal(word + 1, word + 1 + tokens, ids.begin() + at));
      at += tokens;
    }
    from = to + 1;
  }
  CHECK(at + 1 == count);
}

}  // namespace bindrt::stress
