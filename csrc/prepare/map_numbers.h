// The numbers of depth maps and thermal frames that Python and C++ share.
#pragma once

#include <cstdint>
#include <string_view>

namespace bindrt::prepare {

inline constexpr double kAnyCamera = 1e9;  // metres, millimetres or °C: more than any camera measures

// Known cameras. Focal lengths are SUN RGB-D's typical intrinsics of each sensor.
struct Camera {
  std::string_view name;
  double focal;     // pixels
  double baseline;  // metres
};
inline constexpr Camera kCameras[] = {
    {"kinect", 518.8579, 0.075},  // the first one
    {"kinect1", 518.8579, 0.075}, {"kinect_v1", 518.8579, 0.075},   {"kinect2", 529.5, 0.075},
    {"kinect_v2", 529.5, 0.075},  {"realsense", 691.584229, 0.095}, {"xtion", 570.342224, 0.095},
};

// A depth map's counts of one metre, by unit.
struct Counts {
  std::string_view unit;
  double count;
};
inline constexpr Counts kMetreCounts[] = {{"kitti", 256.0}, {"tum", 5000.0}};

// A model's scale outside this range is a scale of counts: 0.001 (RealSense), 1000 or 5000 (Open3D, TUM).
inline constexpr double kLeastScale = 0.1;
inline constexpr double kMostScale = 100.0;

inline constexpr double kZeroCelsius = 273.15;  // K
// A thermal frame's counts of one kelvin, by unit.
inline constexpr Counts kKelvinCounts[] = {{"kelvin", 1.0}, {"decikelvin", 10.0}, {"centikelvin", 100.0}};
// Counts between these may be centikelvin: -73 to 327 °C.
inline constexpr std::int64_t kLeastCentikelvin = 20'000;
inline constexpr std::int64_t kMostCentikelvin = 60'000;

}  // namespace bindrt::prepare
