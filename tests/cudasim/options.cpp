// Reads the simulator's options from its environment variable.
#include "tests/cudasim/options.h"

#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace bindrt::cudasim {
namespace {

std::uint64_t number(std::string_view text, std::uint64_t most) {
  const bool hexadecimal = text.starts_with("0x");
  const std::string_view digits = hexadecimal ? text.substr(2) : text;
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || value > most) {
    throw std::invalid_argument("BINDRT_CUDASIM: not a number, or too large: " + std::string(text));
  }
  return value;
}

Order order(std::string_view name) {
  if (name == "forward") {
    return Order::kForward;
  }
  if (name == "reverse") {
    return Order::kReverse;
  }
  if (name == "random") {
    return Order::kRandom;
  }
  throw std::invalid_argument("BINDRT_CUDASIM: no such order: " + std::string(name));
}

void apply(std::string_view key, std::string_view value, Options& to) {
  if (key == "order") {
    to.order = order(value);
  } else if (key == "seed") {
    to.seed = number(value, ~std::uint64_t{0});
  } else if (key == "poison") {
    to.poison = static_cast<std::uint8_t>(number(value, 0xFF));
  } else if (key == "switch") {
    to.switch_every = static_cast<std::uint32_t>(number(value, 0xFFFFFFFF));
  } else {
    throw std::invalid_argument("BINDRT_CUDASIM: no such option: " + std::string(key));
  }
}

Options& chosen_options() {
  static Options chosen = [] {
    const char* const text = std::getenv("BINDRT_CUDASIM");
    return parse_options(text == nullptr ? "" : text);
  }();
  return chosen;
}

}  // namespace

Options parse_options(std::string_view text) {
  Options parsed;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(item.size() == text.size() ? item.size() : item.size() + 1);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) {
      throw std::invalid_argument("BINDRT_CUDASIM: wants name=value: " + std::string(item));
    }
    apply(item.substr(0, equals), item.substr(equals + 1), parsed);
  }
  return parsed;
}

const Options& options() { return chosen_options(); }

void set_options(const Options& chosen) { chosen_options() = chosen; }

}  // namespace bindrt::cudasim
