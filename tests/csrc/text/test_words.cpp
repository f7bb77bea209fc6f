// The words of tokens that an encoder does not know.

#include <stdexcept>
#include <string>
#include <vector>

#include "csrc/text/words.h"
#include "tests/cpp/check.h"

namespace bindrt::text {
namespace {

using Ids = std::vector<std::int64_t>;

// There are eight tokens; 2 to 6 are not known.
std::string unknown(const Ids& ids) {
  static const Words words({false, true, false, false, false, false, false, true},
                           {"!", "a", "ze", "bra</w>", "dog</w>", "<", "/w>", "b"});
  return words.unknown(ids);
}

void test_words_and_parts_in_their_order() {
  CHECK(unknown({}).empty());
  CHECK(unknown({1, 7, 1}).empty());
  CHECK(unknown({7, 4, 1, 2, 3, 7}) == "dog zebra");
  CHECK(unknown({2}) == "ze");
  CHECK(unknown({4, 4, 2}) == "dog dog ze");
  CHECK(unknown({5, 6, 4}) == "dog");  // two parts may make the end of a word
}

void test_what_is_no_token_says_nothing() {
  CHECK(unknown({0, 0}).empty());
  CHECK(unknown({-1, 8, 1000000, 4}) == "dog");
}

void test_a_text_for_each_token() {
  bool was_refused = false;
  try {
    const Words words({true, false}, {"a"});
  } catch (const std::invalid_argument&) {
    was_refused = true;
  }
  CHECK(was_refused);
}

}  // namespace
}  // namespace bindrt::text

int main() {
  using namespace bindrt::text;
  test_words_and_parts_in_their_order();
  test_what_is_no_token_says_nothing();
  test_a_text_for_each_token();
  return bindrt::testing::finish();
}
