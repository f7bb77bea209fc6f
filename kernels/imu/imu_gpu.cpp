// The host side of the IMU op on a GPU.
#include "kernels/imu/imu_gpu.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace bindrt::kernels {
namespace {

const double* upload_seconds(GpuQueue& queue, const ImuRecording& recording, std::vector<double>& seconds) {
  if (recording.times.type == ImuTimes::Type::kRate) {
    return nullptr;
  }
  seconds.resize(static_cast<std::size_t>(recording.samples.count));
  imu_seconds(recording.times, recording.samples.count, seconds.data());
  return to_device(queue, seconds);
}

}  // namespace

void imu_grid_gpu(GpuQueue& queue, const ImuRecording* recordings, std::int64_t items,
                  const ImuOptions& options, std::uint32_t* not_finite, void* out) {
  if (items == 0) {
    return;
  }
  std::vector<double> seconds;
  std::vector<ImuItem> list;
  for (std::int64_t i = 0; i < items; ++i) {
    list.push_back(
        {recordings[i].samples, upload_seconds(queue, recordings[i], seconds), recordings[i].times.rate});
  }
  ImuParams params{.items = to_device(queue, list),
                   .not_finite = not_finite,
                   .out = out,
                   .gain = {},
                   .offset = {},
                   .not_a_number = std::numeric_limits<double>::quiet_NaN(),
                   .type = options.out_type};
  std::copy(options.gain.begin(), options.gain.end(), params.gain);
  std::copy(options.offset.begin(), options.offset.end(), params.offset);
  const ImuParams all = params;
  in_grid_rows(items, [&](std::int64_t first, std::uint32_t count) {
    params.items = all.items + first;
    params.not_finite = all.not_finite + first;
    params.out = number_at(all.out, all.type, first * kImuChannels * kImuSteps);
    queue.launch("bindrt_imu_check", {.grid_x = count, .block_x = kImuThreads}, params);
    constexpr std::uint32_t kBlocks = (kImuSteps + kImuThreads - 1) / kImuThreads;
    queue.launch("bindrt_imu_grid", {.grid_x = kBlocks, .grid_y = count, .block_x = kImuThreads}, params);
  });
}

}  // namespace bindrt::kernels
