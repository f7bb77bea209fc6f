// Maps out of picture files: depth maps and thermal frames that are grey.
#pragma once

#include <optional>

#include "csrc/prepare/options.h"
#include "csrc/prepare/prepare.h"
#include "kernels/map/map.h"

namespace bindrt::prepare {

using MapPreparer = std::optional<Prepared> (*)(const kernels::Map& map, Options& options, Slots& slots);

// Reads the map of a JPEG or a PNG; `prepare` makes the encoder's input of it, and reads all options but
// "exif". nullopt for any other file or source.
std::optional<Prepared> prepare_map_file(const Item& item, const Limits& limits, Slots& slots,
                                         MapPreparer prepare);

}  // namespace bindrt::prepare
