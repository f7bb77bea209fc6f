// The table of all preparers.
#include "csrc/prepare/registry.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace bindrt::prepare {
namespace {

struct Known {
  std::string_view modality;
  Preparer preparer;
};

constexpr Known kPreparers[] = {
    {"audio", &prepare_audio}, {"depth", &prepare_depth},     {"image", &prepare_image},
    {"imu", &prepare_imu},     {"thermal", &prepare_thermal}, {"video", &prepare_video},
};

}  // namespace

Preparer find(std::string_view modality) noexcept {
  const auto* const found = std::find_if(std::begin(kPreparers), std::end(kPreparers),
                                         [modality](const auto& each) { return each.modality == modality; });
  return found == std::end(kPreparers) ? nullptr : found->preparer;
}

std::vector<std::string_view> modalities() {
  std::vector<std::string_view> names;
  for (const Known& each : kPreparers) {
    names.push_back(each.modality);
  }
  return names;
}

std::vector<float> Prepared::weights() const {
  std::vector<float> counts;
  for (const std::int64_t view : index) {
    counts.resize(std::max(counts.size(), static_cast<std::size_t>(view) + 1));
    counts[static_cast<std::size_t>(view)] += 1.0F;
  }
  const bool alike = std::adjacent_find(counts.begin(), counts.end(), std::not_equal_to<>()) == counts.end();
  return alike ? std::vector<float>() : counts;
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
