// The IMU grid on a device.
#pragma once

#include "kernels/base/gpu.h"
#include "kernels/imu/imu.h"

namespace bindrt::kernels {

struct ImuRecording {
  ImuSamples samples;  // `data` in device memory; those that the grid depends on
  ImuTimes times;      // on the host, without fault
};

// Does what `imu_grid` does for many recordings: writes `out` [items, kImuChannels, kImuSteps], in device
// memory, the same numbers as the CPU. `not_finite`, in device memory too, gets for
// each item how many numbers of its samples are NaN or infinite; where there are any, its part of `out` is
// NaN.
void imu_grid_gpu(GpuQueue& queue, const ImuRecording* recordings, std::int64_t items,
                  const ImuOptions& options, std::uint32_t* not_finite, void* out);

}  // namespace bindrt::kernels
