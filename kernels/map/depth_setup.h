// Turns a depth call's options into the numbers that the CPU and a GPU compute with.
#pragma once

#include "kernels/map/depth.h"
#include "kernels/map/depth_params.h"
#include "kernels/map/map_square.h"

namespace bindrt::kernels {

DepthFactors depth_factors(const DepthOptions& options) noexcept;

// Normalisation of the resized disparity.
SquareFinish depth_finish() noexcept;

}  // namespace bindrt::kernels
