// What a text encoder never saw in training.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bindrt::text {

// Which tokens an encoder knows, and how those that it does not know are written.
class Words {
 public:
  // For each token whether it is known, and its text, in which "</w>" ends a word. Throws
  // std::invalid_argument if they are not equally many.
  Words(std::vector<bool> known, std::vector<std::string> texts);

  // The words, or parts of words, that `ids` has and that are not known, in their order; empty if all are
  // known. Token 0 counts as known, and so does what is no token. May be called by several threads.
  std::string unknown(std::span<const std::int64_t> ids) const;

 private:
  std::vector<bool> known_;
  std::vector<std::string> texts_;
};

}  // namespace bindrt::text
