// Thermal frames; runtime/bindrt/modalities/thermal.py says what an item means.
#include "kernels/map/thermal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "csrc/prepare/decoded_map.h"
#include "csrc/prepare/decoded_picture.h"
#include "csrc/prepare/map_file.h"
#include "csrc/prepare/map_numbers.h"
#include "csrc/prepare/maps.h"
#include "csrc/prepare/registry.h"
#include "kernels/map/map_statistics.h"

namespace bindrt::prepare {
namespace {

using kernels::MapType;

struct Range {
  std::optional<double> low, high;
  std::optional<std::array<double, 2>> percentiles;

  bool is_given() const { return low || high || percentiles; }
};

// A frame, and the numbers that it was computed into, if any.
struct Frame {
  kernels::Map map{};
  std::unique_ptr<float[]> floats;
  std::unique_ptr<double[]> doubles;
};

template <class Number>
std::unique_ptr<Number[]> celsius_of(const kernels::Map& frame, double counts) {
  auto celsius = std::make_unique_for_overwrite<Number[]>(static_cast<std::size_t>(pixels_of(frame)));
  Number* to = celsius.get();
  each_pixel(frame, [&to, counts = static_cast<Number>(counts)](auto value) {
    *to++ = static_cast<Number>(value) / counts - static_cast<Number>(kZeroCelsius);
  });
  return celsius;
}

// The frame in °C if its unit is known, else as it is. Floats stay what they are, integers become doubles.
Frame in_celsius(const kernels::Map& map, double counts) {
  Frame frame;
  frame.map = map;
  if (map.type == MapType::kFloat32) {
    frame.floats = celsius_of<float>(map, counts);
    frame.map.pixels = frame.floats.get();
  } else {
    frame.doubles = celsius_of<double>(map, counts);
    frame.map.pixels = frame.doubles.get();
    frame.map.type = MapType::kFloat64;
  }
  frame.map.row_stride = map.width * static_cast<std::int64_t>(map.type == MapType::kFloat32 ? 4 : 8);
  return frame;
}

// The counts of a kelvin, 0 for values that stay as they are; refuses unknown units.
double read_unit(std::optional<std::string_view> unit, Options& options) {
  if (!unit || *unit == "celsius") {
    return 0.0;
  }
  const auto* const known = std::find_if(std::begin(kKelvinCounts), std::end(kKelvinCounts),
                                         [&unit](const Counts& each) { return each.unit == *unit; });
  if (known == std::end(kKelvinCounts)) {
    options.refuse();
    return 0.0;
  }
  return known->count;
}

// What becomes 0 and 1; nothing for what is not a range.
std::optional<kernels::ThermalOptions> read_range(const Range& range, const kernels::Map& frame) {
  kernels::ThermalOptions stretch;
  if (range.percentiles) {
    const auto [low, high] = *range.percentiles;
    double values[2] = {};
    constexpr std::int64_t kMost = std::int64_t{1} << 32;  // map_percentiles' own limit
    if (range.low || range.high || !(0 <= low && low < high && high <= 100) || pixels_of(frame) > kMost ||
        !kernels::map_percentiles(frame, range.percentiles->data(), 2, values)) {
      return std::nullopt;
    }
    stretch.low = values[0];
    stretch.high = values[1];
  } else if (range.low && range.high) {
    stretch.low = *range.low;
    stretch.high = *range.high;
  } else {
    return std::nullopt;
  }
  const bool is_range = stretch.low < stretch.high && std::isfinite(stretch.high - stretch.low);
  return is_range ? std::optional(stretch) : std::nullopt;
}

// Notes that all counts lie above the range and look like hundredths of a kelvin.
void note_centikelvin(const kernels::Map& frame, double high, Prepared& prepared) {
  std::int64_t coldest = std::numeric_limits<std::int64_t>::max();
  std::int64_t hottest = std::numeric_limits<std::int64_t>::min();
  bool fits = true;  // what does not is not centikelvin either
  each_pixel(frame, [&](auto value) {
    if constexpr (std::is_integral_v<decltype(value)>) {
      fits = fits && std::in_range<std::int64_t>(value);
      coldest = std::min(coldest, static_cast<std::int64_t>(value));
      hottest = std::max(hottest, static_cast<std::int64_t>(value));
    }
  });
  if (fits && kLeastCentikelvin <= coldest && hottest <= kMostCentikelvin &&
      static_cast<double>(coldest) > high) {
    prepared.notes.emplace_back("perhaps_centikelvin", coldest);
  }
}

// Integers that are on the device, where nobody counts them: their range is told.
std::optional<Prepared> left_there(const GivenMap& given, const Range& range,
                                   const std::optional<std::string_view>& unit, Slots& slots) {
  const auto stretch = range.percentiles ? std::nullopt : read_range(range, given.map);
  if (!stretch || !leave_thermal(given.map, given.lent, *stretch, slots)) {
    return std::nullopt;
  }
  Prepared prepared;
  prepared.notes = {{"low", stretch->low}, {"high", stretch->high}};
  if (unit) {
    prepared.notes.emplace_back("unit", std::string(*unit));
  }
  return prepared;
}

}  // namespace

std::optional<Prepared> prepare_thermal_frame(const GivenMap& item, Options& options, Slots& slots) {
  const kernels::Map& given = item.map;
  const auto unit = options.text("unit");
  const double counts = read_unit(unit, options);
  const Range range{options.number("low"), options.number("high"), options.pair("percentiles")};
  if (!options.usual()) {
    return std::nullopt;
  }
  Prepared prepared;
  if (!range.is_given() && counts == 0.0 && given.type == MapType::kUint8) {
    const kernels::Picture picture{static_cast<const std::uint8_t*>(given.pixels), given.width, given.height,
                                   given.row_stride, kernels::PixelLayout::kGrey};
    const bool made =
        item.lent != nullptr
            ? leave_lent_picture(picture, item.lent, kernels::kUnitScale, slots)
            : leave_picture(picture, kernels::kUnitScale, slots) ||
                  kernels::thermal_bytes(given, kernels::OutType::kFloat32, slots.reserve(1), 1);
    if (!made) {
      return std::nullopt;
    }
    prepared.notes = {{"low", 0.0}, {"high", 255.0}};
    return prepared;
  }
  if (item.lent != nullptr) {
    return counts == 0.0 && is_integer(given.type) ? left_there(item, range, unit, slots) : std::nullopt;
  }
  Frame frame;
  frame.map = given;
  if (counts > 0.0) {
    frame = in_celsius(given, counts);
  }
  if (kernels::count_not_finite(frame.map, 1) > 0) {
    return std::nullopt;
  }
  const auto stretch = read_range(range, frame.map);
  if (!stretch || (!leave_thermal(frame.map, nullptr, *stretch, slots) &&
                   !kernels::thermal_stretched(frame.map, *stretch, slots.reserve(1)))) {
    return std::nullopt;
  }
  prepared.notes = {{"low", stretch->low}, {"high", stretch->high}};
  note_beyond_cameras(frame.map, prepared);
  if (unit) {
    prepared.notes.emplace_back("unit", std::string(*unit));
  } else if (is_integer(frame.map.type)) {
    note_centikelvin(frame.map, stretch->high, prepared);
  }
  return prepared;
}

std::optional<Prepared> prepare_thermal(const Item& item, const Limits& limits, Slots& slots) {
  return prepare_map(item, limits, slots, &prepare_thermal_frame);
}

}  // namespace bindrt::prepare
