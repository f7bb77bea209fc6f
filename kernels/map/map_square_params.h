// The structs of depth and thermal squares that host and device share.
#pragma once

#include "kernels/base/portable.h"
#include "kernels/map/depth_params.h"
#include "kernels/map/map.h"
#include "kernels/map/thermal_params.h"

namespace bindrt::kernels {

constexpr std::uint32_t kMapThreads = 256;  // threads of a block

// Taps of one axis, as AxisTaps.
struct MapTaps {
  const std::int32_t* begins;   // [kPictureSide]
  const std::int32_t* lengths;  // [kPictureSide]
  const double* weights;        // [kPictureSide, width]
  std::int32_t width;
  std::int32_t first_input;
  std::int32_t inputs;
};

enum class MapMeaning : std::int32_t { kDepth = 0, kSunRgbd = 1, kThermal = 2 };

struct MapItem {
  Map map;  // pixels in device memory
  MapMeaning meaning;
  DepthFactors depth;    // used for depth
  ThermalRange thermal;  // used for thermal
  MapTaps across;
  MapTaps down;
  float* middle;                // [down.inputs, kPictureSide]
  unsigned long long* missing;  // for depth: gets how many pixels are missing; zero before
  double gain;                  // result = value · gain + offset, within low..high
  double offset;
  double low;
  double high;
};

struct MapSquareParams {
  const MapItem* items;  // one for each grid_y
  void* out;             // [items, kPictureSide, kPictureSide] of `type`
  OutType type;
};

}  // namespace bindrt::kernels
