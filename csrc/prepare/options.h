// An item's options, read one by one.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "csrc/prepare/prepare.h"

namespace bindrt::prepare {

// Each function returns what the caller set, or nothing. An option of another type or outside its range makes
// the item unusual, and so does one that nobody reads.
class Options {
 public:
  explicit Options(const Item& item) : item_(item), unread_(item.options.size() + item.arrays.size()) {}

  bool flag(std::string_view name);                       // false if it is not set
  std::optional<double> number(std::string_view name);    // finite
  std::optional<double> positive(std::string_view name);  // finite and above 0
  std::optional<std::int64_t> whole(std::string_view name);
  std::optional<std::string_view> text(std::string_view name);
  std::optional<std::array<double, 2>> pair(std::string_view name);              // of finite numbers
  std::optional<std::vector<std::vector<double>>> lists(std::string_view name);  // of numbers
  const Array* array(std::string_view name);                                     // null if it is not set

  void refuse() { usual_ = false; }
  // Whether all options were read, and all were what was expected.
  bool usual() const { return usual_ && unread_ == 0; }

 private:
  const Value* find(std::string_view name);

  const Item& item_;
  std::size_t unread_;
  bool usual_ = true;
};

}  // namespace bindrt::prepare
