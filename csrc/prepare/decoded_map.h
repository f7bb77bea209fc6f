// Maps that a device makes into their encoder's input: their numbers as they were decoded go there.
#pragma once

#include "csrc/prepare/prepare.h"
#include "kernels/map/depth.h"
#include "kernels/map/thermal.h"

namespace bindrt::prepare {

// False where there is no room for it: the map is to be prepared here. One that is `lent` is on the device
// already, without gaps between its rows; its `pixels` are not looked at.
bool leave_depth(const kernels::Map& map, const LentPtr& lent, const kernels::DepthOptions& options,
                 Slots& slots);
bool leave_thermal(const kernels::Map& frame, const LentPtr& lent, const kernels::ThermalOptions& options,
                   Slots& slots);

}  // namespace bindrt::prepare
