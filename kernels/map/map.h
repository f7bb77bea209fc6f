// A map: one number a pixel, such as depth or temperature.
#pragma once

#include "kernels/base/picture_input.h"
#include "kernels/base/portable.h"

namespace bindrt::kernels {

enum class MapType : std::int32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kUint64 = 6,
  kInt64 = 7,
  kFloat32 = 8,
  kFloat64 = 9,
};

// Numbers of a row are adjacent and aligned for their type.
struct Map {
  const void* pixels;
  MapType type;
  std::int32_t width;       // >= 1
  std::int32_t height;      // >= 1
  std::int64_t row_stride;  // bytes from a row to the next; may be negative
};

// Calls `use` with a pointer to row `y`, typed as the map's numbers are.
template <class Use>
BINDRT_HD void with_map_row(const Map& map, std::int32_t y, const Use& use) {
  const void* const row = static_cast<const char*>(map.pixels) + y * map.row_stride;
  switch (map.type) {
    case MapType::kUint8:
      return use(static_cast<const std::uint8_t*>(row));
    case MapType::kInt8:
      return use(static_cast<const std::int8_t*>(row));
    case MapType::kUint16:
      return use(static_cast<const std::uint16_t*>(row));
    case MapType::kInt16:
      return use(static_cast<const std::int16_t*>(row));
    case MapType::kUint32:
      return use(static_cast<const std::uint32_t*>(row));
    case MapType::kInt32:
      return use(static_cast<const std::int32_t*>(row));
    case MapType::kUint64:
      return use(static_cast<const std::uint64_t*>(row));
    case MapType::kInt64:
      return use(static_cast<const std::int64_t*>(row));
    case MapType::kFloat32:
      return use(static_cast<const float*>(row));
    case MapType::kFloat64:
      return use(static_cast<const double*>(row));
  }
}

}  // namespace bindrt::kernels
