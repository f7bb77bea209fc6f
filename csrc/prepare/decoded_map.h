// Maps that a device makes into their encoder's input: their numbers as they were decoded go there.
#pragma once

#include "csrc/prepare/prepare.h"
#include "kernels/map/depth.h"
#include "kernels/map/thermal.h"

namespace bindrt::prepare {

// False where there is no room for it: the map is to be prepared here.
bool leave_depth(const kernels::Map& map, const kernels::DepthOptions& options, Slots& slots);
bool leave_thermal(const kernels::Map& frame, const kernels::ThermalOptions& options, Slots& slots);

}  // namespace bindrt::prepare
