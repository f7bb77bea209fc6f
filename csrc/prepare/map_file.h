// Maps out of arrays and grey picture files: depth maps and thermal frames.
#pragma once

#include <optional>

#include "csrc/prepare/maps.h"
#include "csrc/prepare/options.h"
#include "csrc/prepare/prepare.h"

namespace bindrt::prepare {

using MapPreparer = std::optional<Prepared> (*)(const GivenMap& given, Options& options, Slots& slots);

// Takes the map of an array, a JPEG or a PNG; `prepare` makes the encoder's input of it, and reads all
// options but "exif". nullopt for any other file.
std::optional<Prepared> prepare_map(const Item& item, const Limits& limits, Slots& slots,
                                    MapPreparer prepare);

}  // namespace bindrt::prepare
