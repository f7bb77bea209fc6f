// Depth maps and thermal frames, from arrays here, and from files.
#pragma once

#include <cstdint>
#include <optional>

#include "csrc/prepare/options.h"
#include "csrc/prepare/prepare.h"
#include "kernels/map/map.h"

namespace bindrt::prepare {

// An array [H, W], [1, H, W] or [H, W, 1] as a map; nothing for any other, and for more pixels than the
// limit.
std::optional<kernels::Map> map_of(const Array& array, const Limits& limits);

struct GivenMap {
  kernels::Map map;
  LentPtr lent;  // its numbers, which are on the device then; else null
};

// A map as its encoder's input, with the notes on its values, unless these are on a device. They read all
// options but "exif", which says what to do with a file's orientation.
std::optional<Prepared> prepare_depth_map(const GivenMap& given, Options& options, Slots& slots);
std::optional<Prepared> prepare_thermal_frame(const GivenMap& given, Options& options, Slots& slots);

inline bool is_integer(kernels::MapType type) { return type < kernels::MapType::kFloat32; }

inline std::int64_t pixels_of(const kernels::Map& map) { return std::int64_t{map.width} * map.height; }

// Calls `use` with each number, row by row.
template <class Use>
void each_pixel(const kernels::Map& map, Use use) {
  for (std::int32_t y = 0; y < map.height; ++y) {
    kernels::with_map_row(map, y, [&](const auto* row) {
      for (std::int32_t x = 0; x < map.width; ++x) {
        use(row[x]);
      }
    });
  }
}

// Adds a note of how many numbers are finite and larger than any camera measures, if there are any.
void note_beyond_cameras(const kernels::Map& map, Prepared& prepared);

}  // namespace bindrt::prepare
