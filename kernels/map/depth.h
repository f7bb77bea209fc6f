// Depth maps. The depth encoder takes disparity, in pixels of a projector-camera pair and divided by
// kDisparityMax. The map is resized (bilinear, antialiased, on floats), cropped to the centre square and
// normalised.
#pragma once

#include <cstdint>

#include "kernels/base/portable.h"
#include "kernels/map/map.h"

namespace bindrt::kernels {

enum class DepthUnit : std::int32_t {
  kMetres = 0,
  kMillimetres = 1,
  kSunRgbd = 2,    // integers: 16 bits of millimetres, turned left by 3; beyond 8 m counts as 8 m
  kDisparity = 3,  // pixels, ready
};

inline constexpr double kDepthFocal = 518.8579;  // pixels
inline constexpr double kDepthBaseline = 0.075;  // metres
inline constexpr double kDepthScale = 8.0;       // effective depth of a metre
inline constexpr double kDepthNearest = 0.01;    // effective depth: depth_scale · metres
inline constexpr double kDepthFarthest = 50.0;
inline constexpr double kDisparityMin = 0.01;  // pixels
inline constexpr double kDisparityMax = 75.0;
inline constexpr double kDisparityMean = 0.0418;  // mean of disparity / kDisparityMax
inline constexpr double kDisparityStd = 0.0295;   // and its standard deviation
inline constexpr double kSunRgbdMax = 8.0;        // metres

struct DepthOptions {
  DepthUnit unit = DepthUnit::kMetres;
  double focal = kDepthFocal;        // pixels, > 0
  double baseline = kDepthBaseline;  // metres, > 0
  double depth_scale = kDepthScale;  // > 0
  bool missing_near = false;  // 0, negative, NaN and infinite values are the nearest depth, not the farthest
  OutType out_type = OutType::kFloat32;
  int threads = 1;
};

// Writes `out` [kPictureSide, kPictureSide] and, to `missing`, how many of all the map's pixels are missing;
// if that is null, only the square's own pixels are read: map_window(). Returns false if there is no memory;
// `out` is undefined then. The map holds integers if the unit is kSunRgbd.
bool depth_square(const Map& map, const DepthOptions& options, void* out, std::int64_t* missing) noexcept;

// How many of the map's pixels are missing.
std::int64_t count_missing_depth(const Map& map, int threads) noexcept;

}  // namespace bindrt::kernels
