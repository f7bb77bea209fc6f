// Tokens that are not known, as words.

#include "csrc/text/words.h"

#include <stdexcept>
#include <string_view>
#include <utility>

namespace bindrt::text {
namespace {

constexpr std::string_view kWordEnd = "</w>";

// The text with a space for each end of a word, without those around it.
std::string with_spaces(std::string_view text) {
  std::string spaced;
  while (!text.empty()) {
    const std::size_t end = text.find(kWordEnd);
    spaced += text.substr(0, end);
    if (end == std::string_view::npos) {
      break;
    }
    spaced += ' ';
    text.remove_prefix(end + kWordEnd.size());
  }
  spaced.erase(spaced.find_last_not_of(' ') + 1);
  spaced.erase(0, spaced.find_first_not_of(' '));
  return spaced;
}

}  // namespace

Words::Words(std::vector<bool> known, std::vector<std::string> texts)
    : known_(std::move(known)), texts_(std::move(texts)) {
  if (known_.size() != texts_.size()) {
    throw std::invalid_argument("each token is known or not, and has a text");
  }
}

std::string Words::unknown(std::span<const std::int64_t> ids) const {
  std::string found;
  for (const std::int64_t id : ids) {
    if (id > 0 && id < static_cast<std::int64_t>(known_.size()) && !known_[static_cast<std::size_t>(id)]) {
      found += texts_[static_cast<std::size_t>(id)];
    }
  }
  return with_spaces(found);
}

}  // namespace bindrt::text
