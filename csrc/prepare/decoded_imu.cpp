// Copies samples and their times, and makes the grids of several recordings at once.
#include "csrc/prepare/decoded_imu.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "csrc/prepare/imu_numbers.h"
#include "kernels/imu/imu_gpu.h"

namespace bindrt::prepare {
namespace {

using kernels::Decoded;
using kernels::ImuOptions;
using kernels::ImuSamples;
using kernels::ImuTimes;

std::int64_t number_bytes(const ImuSamples& samples) noexcept {
  return samples.type == ImuSamples::Type::kFloat64 ? 8 : 4;
}

// Whether all values on the grid are what an item may have: those between two samples are no larger.
template <class Number>
bool are_moderate(const ImuSamples& samples, const ImuOptions& options) noexcept {
  constexpr double kMost = kImuMost * (1 - 1e-9);  // for what rounding adds
  for (std::int64_t channel = 0; channel < kernels::kImuChannels; ++channel) {
    const auto* const values = static_cast<const Number*>(samples.data) + channel * samples.channel_stride;
    const double gain = options.gain[static_cast<std::size_t>(channel)];
    bool good = true;
    for (std::int64_t i = 0; i < samples.count; ++i) {
      good = good && std::abs(static_cast<double>(values[i]) * gain) <= kMost;
    }
    if (!good) {
      return false;
    }
  }
  return true;
}

class DecodedImu final : public Decoded {
 public:
  // `samples`, and seconds of its times, lie in `memory`.
  DecodedImu(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options,
             std::shared_ptr<std::byte> memory)
      : samples_(samples), times_(times), options_(options), memory_(std::move(memory)) {}

  bool make(void* out) const noexcept override {
    return kernels::imu_grid(samples_, times_, options_, out) == 0;
  }

  // Recordings with the same units go together.
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, void* out) const override {
    auto* to = static_cast<float*>(out);
    for (auto from = items.begin(); from != items.end();) {
      const auto end = std::find_if_not(from, items.end(), [from](const Decoded* item) {
        return of(item).options_.gain == of(*from).options_.gain;
      });
      queue_alike(queue, {from, end}, to);
      to += (end - from) * kernels::kImuChannels * kernels::kImuSteps;
      from = end;
    }
  }

 private:
  static const DecodedImu& of(const Decoded* item) noexcept { return *static_cast<const DecodedImu*>(item); }

  static void queue_alike(kernels::GpuQueue& queue, std::span<const Decoded* const> items, float* out) {
    std::vector<kernels::ImuRecording> recordings;
    for (const Decoded* const item : items) {
      const DecodedImu& each = of(item);
      const auto bytes =
          static_cast<std::size_t>(kernels::kImuChannels * each.samples_.count * number_bytes(each.samples_));
      void* const device = queue.scratch(bytes);
      queue.upload_pinned(device, each.samples_.data, bytes);
      recordings.push_back({each.samples_, each.times_});
      recordings.back().samples.data = device;
    }
    auto* const not_finite =
        static_cast<std::uint32_t*>(queue.scratch(recordings.size() * sizeof(std::uint32_t)));
    kernels::imu_grid_gpu(queue, recordings.data(), std::ssize(recordings), of(items.front()).options_,
                          not_finite, out);
  }

  const ImuSamples samples_;
  const ImuTimes times_;
  const ImuOptions options_;
  const std::shared_ptr<std::byte> memory_;
};

}  // namespace

bool leave_imu(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options, Slots& slots) {
  if (!slots.may_leave() || samples.sample_stride != 1 ||
      !(samples.type == ImuSamples::Type::kFloat64 ? are_moderate<double>(samples, options)
                                                   : are_moderate<float>(samples, options))) {
    return false;
  }
  const std::int64_t row = samples.count * number_bytes(samples);
  const bool listed = times.type != ImuTimes::Type::kRate;
  const std::int64_t seconds = listed ? samples.count * static_cast<std::int64_t>(sizeof(double)) : 0;
  std::shared_ptr<std::byte> memory =
      slots.room(static_cast<std::size_t>(seconds + kernels::kImuChannels * row), 1);
  if (memory == nullptr) {
    return false;
  }
  ImuTimes kept_times = times;
  if (listed) {
    auto* const list = reinterpret_cast<double*>(memory.get());
    kernels::imu_seconds(times, samples.count, list);
    kept_times = {ImuTimes::Type::kFloat64, 0.0, list};
  }
  ImuSamples kept = samples;
  kept.data = memory.get() + seconds;
  kept.channel_stride = samples.count;
  for (std::int64_t channel = 0; channel < kernels::kImuChannels; ++channel) {
    const auto* const from = static_cast<const std::byte*>(samples.data) +
                             channel * samples.channel_stride * number_bytes(samples);
    std::memcpy(memory.get() + seconds + channel * row, from, static_cast<std::size_t>(row));
  }
  slots.reserve(1);
  slots.leave(std::make_shared<DecodedImu>(kept, kept_times, options, std::move(memory)));
  return true;
}

}  // namespace bindrt::prepare
