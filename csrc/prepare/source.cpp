// Opens items that are files.
#include "csrc/prepare/source.h"

#include <cstdint>
#include <span>
#include <utility>
#include <variant>

namespace bindrt::prepare {

std::optional<audio::Input> input_of(const Item& item, const Limits& limits) {
  if (const auto* const path = std::get_if<Path>(&item.source)) {
    return audio::Input::open(path->name);
  }
  const auto* const bytes = std::get_if<Bytes>(&item.source);
  const bool fits =
      bytes != nullptr && bytes->size > 0 && static_cast<std::int64_t>(bytes->size) <= limits.max_bytes;
  return fits ? std::optional<audio::Input>(std::in_place, std::span(bytes->data, bytes->size))
              : std::nullopt;
}

}  // namespace bindrt::prepare
