// Looking up options, and what they must be.
#include "csrc/prepare/options.h"

#include <cmath>

namespace bindrt::prepare {

const Value* Options::find(std::string_view name) {
  const auto found = item_.options.find(name);
  if (found == item_.options.end()) {
    return nullptr;
  }
  --unread_;
  return &found->second;
}

bool Options::flag(std::string_view name) {
  const Value* const value = find(name);
  const bool* const set = value == nullptr ? nullptr : std::get_if<bool>(value);
  usual_ = usual_ && (value == nullptr || set != nullptr);
  return set != nullptr && *set;
}

std::optional<double> Options::number(std::string_view name) {
  const Value* const value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  double number = std::nan("");
  if (const auto* const whole = std::get_if<std::int64_t>(value)) {
    number = static_cast<double>(*whole);
  } else if (const auto* const real = std::get_if<double>(value)) {
    number = *real;
  }
  usual_ = usual_ && std::isfinite(number);
  return number;
}

std::optional<double> Options::positive(std::string_view name) {
  const std::optional<double> found = number(name);
  usual_ = usual_ && (!found || *found > 0.0);
  return found;
}

std::optional<std::int64_t> Options::whole(std::string_view name) {
  const Value* const value = find(name);
  const auto* const found = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  usual_ = usual_ && (value == nullptr || found != nullptr);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<std::string_view> Options::text(std::string_view name) {
  const Value* const value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto* const found = std::get_if<std::string>(value);
  usual_ = usual_ && found != nullptr;
  return found == nullptr ? std::string_view() : std::string_view(*found);
}

std::optional<std::array<double, 2>> Options::pair(std::string_view name) {
  const Value* const value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto* const numbers = std::get_if<std::vector<double>>(value);
  if (numbers == nullptr || numbers->size() != 2 || !std::isfinite(numbers->at(0)) ||
      !std::isfinite(numbers->at(1))) {
    usual_ = false;
    return std::nullopt;
  }
  return std::array{numbers->at(0), numbers->at(1)};
}

std::optional<std::vector<std::vector<double>>> Options::lists(std::string_view name) {
  const Value* const value = find(name);
  const auto* const found = value == nullptr ? nullptr : std::get_if<std::vector<std::vector<double>>>(value);
  usual_ = usual_ && (value == nullptr || found != nullptr);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

const Array* Options::array(std::string_view name) {
  const auto found = item_.arrays.find(name);
  if (found == item_.arrays.end()) {
    return nullptr;
  }
  --unread_;
  return &found->second;
}

}  // namespace bindrt::prepare
