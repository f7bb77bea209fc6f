// Inertial samples that a device puts on the encoder's grid.
#pragma once

#include <memory>

#include "csrc/prepare/prepare.h"
#include "kernels/imu/imu.h"

namespace bindrt::prepare {

// False where there is no room for them, or a number is not finite or close to what is refused: they are to
// be prepared here.
bool leave_imu(const kernels::ImuSamples& samples, const kernels::ImuTimes& times,
               const kernels::ImuOptions& options, Slots& slots);

// As leave_imu, for samples at the beginning of memory that is on the device already; nobody looks at them.
bool leave_lent_imu(const kernels::ImuSamples& samples, const kernels::ImuTimes& times,
                    const kernels::ImuOptions& options, std::shared_ptr<const kernels::Lent> lent,
                    Slots& slots);

}  // namespace bindrt::prepare
