// Depth maps; runtime/bindrt/modalities/depth.py says what an item means.
#include "kernels/map/depth.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>

#include "csrc/prepare/decoded_map.h"
#include "csrc/prepare/map_file.h"
#include "csrc/prepare/map_numbers.h"
#include "csrc/prepare/maps.h"
#include "csrc/prepare/registry.h"

namespace bindrt::prepare {
namespace {

using kernels::DepthUnit;
using kernels::MapType;

struct Unit {
  std::string name;  // as the note tells it
  DepthUnit unit = DepthUnit::kMetres;
  double counts = 0.0;  // of one metre; 0: the map's numbers are in `unit`
};

bool is_byte(MapType type) { return type == MapType::kUint8 || type == MapType::kInt8; }

bool holds_sunrgbd(MapType type) {
  return type == MapType::kUint16 || type == MapType::kInt32 || type == MapType::kUint32 ||
         type == MapType::kInt64;
}

// The unit that is named, or what the map's type says; nothing where the two do not fit.
std::optional<Unit> read_unit(std::optional<std::string_view> named, std::optional<double> counts,
                              MapType type) {
  const bool is_wide = is_integer(type) && !is_byte(type);
  if (counts) {
    char text[64];
    std::snprintf(text, sizeof text, "1/%g m", *counts);
    return named || !is_integer(type) ? std::nullopt : std::optional(Unit{text, DepthUnit::kMetres, *counts});
  }
  if (!named) {
    return is_byte(type)      ? std::nullopt
           : is_integer(type) ? std::optional(Unit{"mm", DepthUnit::kMillimetres})
                              : std::optional(Unit{"m", DepthUnit::kMetres});
  }
  const std::string name(*named);
  for (const Counts& known : kMetreCounts) {
    if (name == known.unit) {
      return is_wide ? std::optional(Unit{name, DepthUnit::kMetres, known.count}) : std::nullopt;
    }
  }
  if (name == "sunrgbd") {
    return holds_sunrgbd(type) ? std::optional(Unit{name, DepthUnit::kSunRgbd}) : std::nullopt;
  }
  return name == "m"           ? std::optional(Unit{name, DepthUnit::kMetres})
         : name == "mm"        ? std::optional(Unit{name, DepthUnit::kMillimetres})
         : name == "disparity" ? std::optional(Unit{name, DepthUnit::kDisparity})
                               : std::nullopt;
}

// Reads the camera's numbers and the model's scale; refuses a camera beside its numbers, and two scales.
kernels::DepthOptions read_camera(Options& options) {
  kernels::DepthOptions read;
  const auto focal = options.positive("focal");
  const auto baseline = options.positive("baseline");
  const auto scale = options.positive("model_scale");
  const auto old_scale = options.positive("depth_scale");
  read.focal = focal.value_or(read.focal);
  read.baseline = baseline.value_or(read.baseline);
  read.depth_scale = scale.value_or(old_scale.value_or(read.depth_scale));
  if ((scale && old_scale) || read.depth_scale < kLeastScale || read.depth_scale > kMostScale) {
    options.refuse();
  }
  if (const auto name = options.text("camera")) {
    const auto* const known = std::find_if(std::begin(kCameras), std::end(kCameras),
                                           [&name](const Camera& each) { return each.name == *name; });
    if (known == std::end(kCameras) || focal || baseline) {
      options.refuse();
    } else {
      read.focal = known->focal;
      read.baseline = known->baseline;
    }
  }
  const auto missing = options.text("missing").value_or("farthest");
  read.missing_near = missing == "nearest";
  if (missing != "nearest" && missing != "farthest") {
    options.refuse();
  }
  return read;
}

}  // namespace

std::optional<Prepared> prepare_depth_map(const GivenMap& given, Options& options, Slots& slots) {
  const kernels::Map& map = given.map;
  kernels::DepthOptions depth = read_camera(options);
  const auto named = options.text("unit");
  const auto unit = read_unit(named, options.positive("counts_per_metre"), map.type);
  if (!unit || !options.usual()) {
    return std::nullopt;
  }
  if (given.lent != nullptr) {
    depth.unit = unit->unit;
    const bool left = unit->counts == 0 && leave_depth(map, given.lent, depth, slots);
    return left ? std::optional(Prepared{{{"unit", unit->name}}, {}}) : std::nullopt;
  }
  kernels::Map metres = map;
  std::unique_ptr<double[]> divided;
  if (unit->counts > 0) {
    divided = std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(pixels_of(map)));
    double* to = divided.get();
    each_pixel(map,
               [&to, counts = unit->counts](auto value) { *to++ = static_cast<double>(value) / counts; });
    metres = {divided.get(), MapType::kFloat64, map.width, map.height,
              static_cast<std::int64_t>(sizeof(double)) * map.width};
  }
  depth.unit = unit->unit;
  std::int64_t missing = 0;
  if (divided == nullptr && leave_depth(map, nullptr, depth, slots)) {
    missing = kernels::count_missing_depth(map, 1);
  } else if (!kernels::depth_square(metres, depth, slots.reserve(1), &missing)) {
    return std::nullopt;
  }
  Prepared prepared;
  prepared.notes.emplace_back("unit", unit->name);
  prepared.notes.emplace_back("missing_pixels", missing);
  prepared.notes.emplace_back("missing_share",
                              static_cast<double>(missing) / static_cast<double>(pixels_of(map)));
  note_beyond_cameras(map, prepared);
  return prepared;
}

std::optional<Prepared> prepare_depth(const Item& item, const Limits& limits, Slots& slots) {
  return prepare_map(item, limits, slots, &prepare_depth_map);
}

}  // namespace bindrt::prepare
