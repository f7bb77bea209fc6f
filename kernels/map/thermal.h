// Thermal frames. The thermal encoder takes the centre square, resized (bicubic, antialiased), with values
// from 0 to 1 that no mean is subtracted from.
#pragma once

#include "kernels/base/portable.h"
#include "kernels/map/map.h"

namespace bindrt::kernels {

struct ThermalOptions {
  double low = 0.0;     // what becomes 0; in the frame's own unit, counts or degrees
  double high = 255.0;  // what becomes 1; low < high, and the difference is finite
  OutType out_type = OutType::kFloat32;
  int threads = 1;
};

// All write `out` [kPictureSide, kPictureSide], and return false, with `out` undefined, if there is no
// memory.

// A frame of 8 bits, 0 to 255: resized on 8 bits, exactly as Pillow does it. The map is kUint8.
bool thermal_bytes(const Map& frame, OutType out_type, void* out, int threads) noexcept;

// Any frame without NaN or infinity: stretched from low..high to 0..1 and clipped there, then resized on
// floats and clipped again.
bool thermal_stretched(const Map& frame, const ThermalOptions& options, void* out) noexcept;

}  // namespace bindrt::kernels
