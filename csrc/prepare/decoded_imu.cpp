// Copies samples and their times, and makes the grids of several recordings at once.
#include "csrc/prepare/decoded_imu.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "csrc/prepare/imu_numbers.h"
#include "csrc/prepare/left_bytes.h"
#include "kernels/imu/imu_gpu.h"

namespace bindrt::prepare {
namespace {

using kernels::Decoded;
using kernels::ImuOptions;
using kernels::ImuSamples;
using kernels::ImuTimes;
using kernels::OutType;

std::int64_t number_bytes(const ImuSamples& samples) noexcept {
  return kernels::with_number(samples.type, [](auto zero) { return std::int64_t{sizeof zero}; });
}

// Whether all values on the grid are what an item may have: those between two samples are no larger.
template <class Number>
bool are_moderate(const ImuSamples& samples, const ImuOptions& options) noexcept {
  constexpr double kMost = kImuMost * (1 - 1e-9);  // for what rounding adds
  for (std::int64_t channel = 0; channel < kernels::kImuChannels; ++channel) {
    const auto* const values = static_cast<const Number*>(samples.data) + channel * samples.channel_stride;
    const double gain = options.gain[static_cast<std::size_t>(channel)];
    const double offset = options.offset[static_cast<std::size_t>(channel)];
    bool good = std::abs(offset) <= kMost;
    for (std::int64_t i = 0; i < samples.count; ++i) {
      good = good && std::abs(static_cast<double>(values[i]) * gain + offset) <= kMost;
    }
    if (!good) {
      return false;
    }
  }
  return true;
}

// When samples were taken: by a rate, or as a list of seconds.
struct KeptTimes {
  double rate = 0.0;
  std::vector<double> seconds;

  KeptTimes(const ImuTimes& times, std::int64_t count) {
    if (times.type == ImuTimes::Type::kRate) {
      rate = times.rate;
    } else {
      seconds.resize(static_cast<std::size_t>(count));
      kernels::imu_seconds(times, count, seconds.data());
    }
  }

  ImuTimes times() const noexcept {
    return seconds.empty() ? ImuTimes{ImuTimes::Type::kRate, rate, nullptr}
                           : ImuTimes{ImuTimes::Type::kFloat64, 0.0, seconds.data()};
  }
};

class DecodedImu final : public Decoded {
 public:
  // `samples` lie in `bytes`, from the first on; where they say they are is not looked at.
  DecodedImu(const ImuSamples& samples, KeptTimes times, const ImuOptions& options, LeftBytes bytes)
      : samples_(samples), times_(std::move(times)), options_(options), bytes_(std::move(bytes)) {}

  // As on the device, samples that are not all finite make NaN.
  bool make(void* out) const noexcept override {
    return bytes_.here([&](const std::byte* samples) {
      if (kernels::imu_grid(at(samples), times_.times(), options_, out) > 0) {
        std::fill_n(static_cast<float*>(out), kernels::kImuChannels * kernels::kImuSteps,
                    std::numeric_limits<float>::quiet_NaN());
      }
      return true;
    });
  }

  // Recordings with the same units and the same mean and deviation go together.
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, OutType type,
             void* out) const override {
    constexpr std::int64_t kNumbers = std::int64_t{kernels::kImuChannels} * kernels::kImuSteps;
    std::int64_t before = 0;
    for (auto from = items.begin(); from != items.end();) {
      const auto end = std::find_if_not(from, items.end(), [from](const Decoded* item) {
        const ImuOptions& options = of(item).options_;
        const ImuOptions& first = of(*from).options_;
        return options.gain == first.gain && options.offset == first.offset;
      });
      queue_alike(queue, {from, end}, type, kernels::number_at(out, type, before * kNumbers));
      before += end - from;
      from = end;
    }
  }

 private:
  static const DecodedImu& of(const Decoded* item) noexcept { return *static_cast<const DecodedImu*>(item); }

  ImuSamples at(const std::byte* bytes) const noexcept {
    ImuSamples placed = samples_;
    placed.data = bytes;
    return placed;
  }

  static void queue_alike(kernels::GpuQueue& queue, std::span<const Decoded* const> items, OutType type,
                          void* out) {
    std::vector<kernels::ImuRecording> recordings;
    for (const Decoded* const item : items) {
      const DecodedImu& each = of(item);
      recordings.push_back({each.at(each.bytes_.on(queue)), each.times_.times()});
    }
    auto* const not_finite =
        static_cast<std::uint32_t*>(queue.scratch(recordings.size() * sizeof(std::uint32_t)));
    ImuOptions options = of(items.front()).options_;
    options.out_type = type;
    kernels::imu_grid_gpu(queue, recordings.data(), std::ssize(recordings), options, not_finite, out);
  }

  const ImuSamples samples_;
  const KeptTimes times_;
  const ImuOptions options_;
  const LeftBytes bytes_;
};

void leave(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options, LeftBytes bytes,
           Slots& slots) {
  auto left =
      std::make_shared<DecodedImu>(samples, KeptTimes(times, samples.count), options, std::move(bytes));
  slots.reserve(1);
  slots.leave(std::move(left));
}

}  // namespace

bool leave_imu(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options, Slots& slots) {
  const auto moderate = [&](auto zero) { return are_moderate<decltype(zero)>(samples, options); };
  if (!slots.may_leave() || samples.sample_stride != 1 || !kernels::with_number(samples.type, moderate)) {
    return false;
  }
  const std::int64_t row = samples.count * number_bytes(samples);
  const auto size = static_cast<std::size_t>(kernels::kImuChannels * row);
  const bool has_rate = times.type == ImuTimes::Type::kRate;
  const std::size_t seconds = has_rate ? 0 : static_cast<std::size_t>(samples.count) * sizeof(double);
  LeftBytes memory(slots.room(size + seconds, 1), size);  // as much as it takes on the device
  if (!memory) {
    return false;
  }
  ImuSamples kept = samples;
  kept.channel_stride = samples.count;
  for (std::int64_t channel = 0; channel < kernels::kImuChannels; ++channel) {
    const auto* const from = static_cast<const std::byte*>(samples.data) +
                             channel * samples.channel_stride * number_bytes(samples);
    std::memcpy(memory.room() + channel * row, from, static_cast<std::size_t>(row));
  }
  leave(kept, times, options, std::move(memory), slots);
  return true;
}

bool leave_lent_imu(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options,
                    std::shared_ptr<const kernels::Lent> lent, Slots& slots) {
  if (!slots.may_leave()) {
    return false;
  }
  leave(samples, times, options, LeftBytes(std::move(lent)), slots);
  return true;
}

}  // namespace bindrt::prepare
