// Numbers as JSON: shortest digits, by the standard library.
#include "csrc/text/json_numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace bindrt::text {
namespace {

constexpr std::size_t kLongest = 16;  // "-1.1754944e-38" has 14

void append(float number, std::string& to) {
  if (!std::isfinite(number)) {
    to.append("null");
    return;
  }
  std::array<char, kLongest> digits;
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const std::string_view written(digits.data(), static_cast<std::size_t>(end - digits.data()));
  to.append(written);
  if (written.find_first_of(".e") == std::string_view::npos) {
    to.append(".0");
  }
}

}  // namespace

void append_json(std::span<const float> numbers, std::string& to) {
  to.push_back('[');
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) {
      to.push_back(',');
    }
    append(numbers[i], to);
  }
  to.push_back(']');
}

}  // namespace bindrt::text
