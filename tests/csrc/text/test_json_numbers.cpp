// Numbers as JSON, and read again.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include "csrc/text/json_numbers.h"
#include "tests/cpp/check.h"

namespace bindrt::text {
namespace {

using Limits = std::numeric_limits<float>;

std::string json(const std::vector<float>& numbers) {
  std::string text = "x";  // what is there stays
  append_json(numbers, text);
  CHECK(text[0] == 'x');
  return text.substr(1);
}

void test_how_they_are_written() {
  CHECK(json({}) == "[]");
  CHECK(json({0.0F, -0.0F, 1.0F, -20.0F}) == "[0.0,-0.0,1.0,-20.0]");
  CHECK(json({0.1F, -0.33333334F}) == "[0.1,-0.33333334]");
  CHECK(json({Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) == "[null,null,null]");
}

void test_each_is_read_as_it_was() {
  std::vector<float> numbers{Limits::min(),        Limits::max(), Limits::lowest(),
                             Limits::denorm_min(), 1e20F,         16777216.0F};
  std::uint32_t bits = 1;
  for (int i = 0; i < 20'000; ++i) {
    bits = bits * 1664525U + 1013904223U;
    if (const auto number = std::bit_cast<float>(bits); std::isfinite(number)) {
      numbers.push_back(number);
    }
  }
  const std::string text = json(numbers);
  const char* at = text.c_str();
  for (const float number : numbers) {
    char* end = nullptr;
    CHECK(std::bit_cast<std::uint32_t>(std::strtof(at + 1, &end)) == std::bit_cast<std::uint32_t>(number));
    const std::string_view written(at + 1, static_cast<std::size_t>(end - at - 1));
    CHECK(written.find_first_of(".e") != std::string_view::npos);
    at = end;
  }
  CHECK(std::string_view(at) == "]");
}

}  // namespace
}  // namespace bindrt::text

int main() {
  bindrt::text::test_how_they_are_written();
  bindrt::text::test_each_is_read_as_it_was();
  return bindrt::testing::finish();
}
