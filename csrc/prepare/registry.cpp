// The table of all preparers.
#include "csrc/prepare/registry.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bindrt::prepare {
namespace {

constexpr std::pair<std::string_view, Preparer> kPreparers[] = {
    {"audio", &prepare_audio}, {"depth", &prepare_depth},     {"image", &prepare_image},
    {"imu", &prepare_imu},     {"thermal", &prepare_thermal},
};

}  // namespace

Preparer find(std::string_view modality) noexcept {
  const auto* const found = std::find_if(std::begin(kPreparers), std::end(kPreparers),
                                         [modality](const auto& each) { return each.first == modality; });
  return found == std::end(kPreparers) ? nullptr : found->second;
}

std::vector<std::string_view> modalities() {
  std::vector<std::string_view> names;
  for (const auto& [name, preparer] : kPreparers) {
    names.push_back(name);
  }
  return names;
}

std::optional<Prepared> prepare_or_leave(Preparer preparer, const Item& item, const Limits& limits,
                                         Slots& slots) noexcept {
  try {
    return preparer(item, limits, slots);
  } catch (...) {
    return std::nullopt;
  }
}

}  // namespace bindrt::prepare
