// Numbers as JSON.
#pragma once

#include <span>
#include <string>

namespace bindrt::text {

// Appends an array: of each number the fewest digits that no other float has, with a point or an exponent,
// so that readers take it for no integer; null for what is not finite.
void append_json(std::span<const float> numbers, std::string& to);

}  // namespace bindrt::text
