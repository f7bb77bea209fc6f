// What depth maps and thermal frames have in common.
#include "csrc/prepare/maps.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "csrc/prepare/arrays.h"
#include "csrc/prepare/map_numbers.h"

namespace bindrt::prepare {
namespace {

template <class Number>
constexpr kernels::MapType type_of() {
  using kernels::MapType;
  if constexpr (std::is_floating_point_v<Number>) {
    return sizeof(Number) == 4 ? MapType::kFloat32 : MapType::kFloat64;
  } else {
    constexpr MapType kUnsigned[] = {MapType::kUint8, MapType::kUint16, MapType::kUint32, MapType::kUint64};
    constexpr MapType kSigned[] = {MapType::kInt8, MapType::kInt16, MapType::kInt32, MapType::kInt64};
    constexpr int kAt = sizeof(Number) == 1 ? 0 : sizeof(Number) == 2 ? 1 : sizeof(Number) == 4 ? 2 : 3;
    return std::is_unsigned_v<Number> ? kUnsigned[kAt] : kSigned[kAt];
  }
}

// Height and width, of shapes that have both.
std::optional<std::pair<std::int64_t, std::int64_t>> sides_of(const std::vector<std::int64_t>& shape) {
  if (shape.size() == 2) {
    return std::pair(shape[0], shape[1]);
  }
  if (shape.size() == 3 && shape[0] == 1) {
    return std::pair(shape[1], shape[2]);
  }
  if (shape.size() == 3 && shape[2] == 1) {
    return std::pair(shape[0], shape[1]);
  }
  return std::nullopt;
}

}  // namespace

std::optional<kernels::Map> map_of(const Array& array, const Limits& limits) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const auto sides = sides_of(array.shape);
  if (!sides || std::max(sides->first, sides->second) > kMost ||
      sides->first * sides->second > limits.max_pixels) {
    return std::nullopt;
  }
  const auto [height, width] = *sides;
  kernels::Map map{array.data, kernels::MapType::kFloat32, static_cast<std::int32_t>(width),
                   static_cast<std::int32_t>(height), width * array.bits / 8};
  const bool known =
      with_numbers(array, [&map]<class Number>(const Number*) { map.type = type_of<Number>(); });
  return known ? std::optional(map) : std::nullopt;
}

void note_beyond_cameras(const kernels::Map& map, Prepared& prepared) {
  if (is_integer(map.type)) {
    return;
  }
  std::int64_t beyond = 0;
  each_pixel(map, [&beyond](auto value) {
    const auto size = std::abs(static_cast<double>(value));
    beyond += size > kAnyCamera && size <= std::numeric_limits<double>::max() ? 1 : 0;
  });
  if (beyond > 0) {
    prepared.notes.emplace_back("beyond_any_camera", beyond);
  }
}

}  // namespace bindrt::prepare
