// The IMU grid: a thread a step, which writes the six channels; arithmetic in double, as on the CPU.
#include "kernels/base/cuda/device.h"
#include "kernels/imu/imu_params.h"

namespace {

using namespace bindrt::kernels;

template <class Number>
__device__ __forceinline__ double number_at(const ImuSamples& samples, std::int64_t at) {
  return static_cast<double>(static_cast<const Number*>(samples.data)[at]);
}

__device__ __forceinline__ double sample_at(const ImuSamples& samples, std::int64_t channel, std::int64_t i) {
  const std::int64_t at = channel * samples.channel_stride + i * samples.sample_stride;
  switch (samples.type) {
    case ImuSamples::Type::kFloat64:
      return number_at<double>(samples, at);
    case ImuSamples::Type::kInt8:
      return number_at<std::int8_t>(samples, at);
    case ImuSamples::Type::kUint8:
      return number_at<std::uint8_t>(samples, at);
    case ImuSamples::Type::kInt16:
      return number_at<std::int16_t>(samples, at);
    case ImuSamples::Type::kUint16:
      return number_at<std::uint16_t>(samples, at);
    case ImuSamples::Type::kInt32:
      return number_at<std::int32_t>(samples, at);
    case ImuSamples::Type::kUint32:
      return number_at<std::uint32_t>(samples, at);
    case ImuSamples::Type::kInt64:
      return number_at<std::int64_t>(samples, at);
    case ImuSamples::Type::kUint64:
      return number_at<std::uint64_t>(samples, at);
    case ImuSamples::Type::kFloat32:
      break;
  }
  return number_at<float>(samples, at);
}

// Where a step lies: between samples `low` and `low + 1`, this share of the way.
struct StepPlace {
  std::int64_t low;
  double share;
};

__device__ __forceinline__ StepPlace place_by_rate(const ImuItem& item, int step) {
  const double last = static_cast<double>(item.samples.count - 1);
  const double at = fmin(static_cast<double>(step) * (item.rate / kImuRate), last);
  std::int64_t low = static_cast<std::int64_t>(at);
  low = low < item.samples.count - 2 ? low : item.samples.count - 2;
  return {low, at - static_cast<double>(low)};
}

__device__ __forceinline__ StepPlace place_by_list(const ImuItem& item, int step) {
  const double at = static_cast<double>(step) / kImuRate;
  std::int64_t low = 0;  // the last sample that is not later than the step, and has one after it
  std::int64_t high = item.samples.count - 1;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    if (item.seconds[middle] <= at) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const double before = item.seconds[low];
  const double after = item.seconds[low + 1];
  return {low, at < after ? (at - before) / (after - before) : 1.0};
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) bindrt_imu_check(ImuParams p) {
  __shared__ std::uint32_t partial[32];
  const ImuSamples samples = p.items[blockIdx.x].samples;
  std::uint32_t bad = 0;
  for (std::int64_t channel = 0; channel < kImuChannels; ++channel) {
    for (std::int64_t i = threadIdx.x; i < samples.count; i += blockDim.x) {
      const double value = sample_at(samples, channel, i);
      bad += value - value == 0.0 ? 0U : 1U;  // NaN if the value is not finite
    }
  }
  bad = cuda::block_reduce(bad, partial, cuda::Sum());
  if (threadIdx.x == 0) {
    p.not_finite[blockIdx.x] = bad;
  }
}

extern "C" __global__ void __launch_bounds__(256) bindrt_imu_grid(ImuParams p) {
  const int step = static_cast<int>(cuda::grid_thread());
  if (step >= kImuSteps) {
    return;
  }
  const ImuItem item = p.items[blockIdx.y];
  const bool good = p.not_finite[blockIdx.y] == 0;
  const StepPlace place = item.seconds == nullptr ? place_by_rate(item, step) : place_by_list(item, step);
  for (int channel = 0; channel < kImuChannels; ++channel) {
    const double low = sample_at(item.samples, channel, place.low);
    const double high = sample_at(item.samples, channel, place.low + 1);
    const double value = (low + (high - low) * place.share) * p.gain[channel] + p.offset[channel];
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * kImuChannels + channel;
    store(p.out, p.type, row * kImuSteps + step, static_cast<float>(good ? value : p.not_a_number));
  }
}
