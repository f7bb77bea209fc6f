// The modalities whose ordinary items are prepared here.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "csrc/prepare/prepare.h"

namespace bindrt::prepare {

// A modality's, or null: then all of its items are left to Python.
Preparer find(std::string_view modality) noexcept;

// The modalities that have one.
std::vector<std::string_view> modalities();

// As the preparer; what it throws, for example because there is no memory, leaves the item to Python as well.
std::optional<Prepared> prepare_or_leave(Preparer preparer, const Item& item, const Limits& limits,
                                         Slots& slots) noexcept;

// One a modality, each in a file of its own.
std::optional<Prepared> prepare_audio(const Item& item, const Limits& limits, Slots& slots);
std::optional<Prepared> prepare_depth(const Item& item, const Limits& limits, Slots& slots);
std::optional<Prepared> prepare_image(const Item& item, const Limits& limits, Slots& slots);
std::optional<Prepared> prepare_imu(const Item& item, const Limits& limits, Slots& slots);
std::optional<Prepared> prepare_thermal(const Item& item, const Limits& limits, Slots& slots);
std::optional<Prepared> prepare_video(const Item& item, const Limits& limits, Slots& slots);

}  // namespace bindrt::prepare
