// Inertial samples in arrays; runtime/bindrt/modalities/imu.py says what an item means.
#include "kernels/imu/imu.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numbers>
#include <utility>

#include "csrc/prepare/arrays.h"
#include "csrc/prepare/decoded_imu.h"
#include "csrc/prepare/imu_numbers.h"
#include "csrc/prepare/options.h"
#include "csrc/prepare/registry.h"
#include "kernels/resample/audio_view.h"

namespace bindrt::prepare {
namespace {

using kernels::ImuSamples;
using kernels::ImuTimes;
using Kind = Array::Kind;

struct Units {
  double accel = 1.0;  // what samples are multiplied by
  double gyro = 1.0;
  bool in_metres = true;  // the accelerometer's, in m/s²
};

// Reads the units; refuses unknown ones and two that differ.
Units read_units(Options& options) {
  const auto accel = options.text("accel_unit");
  const auto brief = options.text("unit");
  const auto gyro = options.text("gyro_unit");
  if (accel && brief && *accel != *brief) {
    options.refuse();
  }
  const std::string_view unit = accel.value_or(brief.value_or("m/s2"));
  if ((unit != "m/s2" && unit != "g") || (gyro && *gyro != "rad/s" && *gyro != "deg/s")) {
    options.refuse();
  }
  return {unit == "g" ? kStandardGravity : 1.0, gyro == "deg/s" ? std::numbers::pi / 180 : 1.0, unit != "g"};
}

// The times of `count` samples, from a rate or an array; nothing for any other.
std::optional<ImuTimes> read_times(std::optional<double> rate, const Array* times, std::int64_t count) {
  if (rate.has_value() == (times != nullptr)) {
    return std::nullopt;
  }
  if (rate) {
    return ImuTimes{ImuTimes::Type::kRate, *rate, nullptr};
  }
  if (times->shape != std::vector<std::int64_t>{count}) {
    return std::nullopt;
  }
  constexpr std::pair<std::pair<Kind, int>, ImuTimes::Type> kTypes[] = {
      {{Kind::kFloat, 32}, ImuTimes::Type::kFloat32},
      {{Kind::kFloat, 64}, ImuTimes::Type::kFloat64},
      {{Kind::kInt, 64}, ImuTimes::Type::kInt64},
      {{Kind::kUint, 64}, ImuTimes::Type::kUint64},
  };
  for (const auto& [kind, type] : kTypes) {
    if (is(*times, kind.first, kind.second)) {
      return ImuTimes{type, 0.0, times->data};
    }
  }
  return std::nullopt;
}

// Whether the times are without fault and long enough. A sample lasts one period, of which only a rate tells.
bool are_good(const kernels::ImuTimeReport& report, const ImuTimes& times, double min_seconds) {
  const double needed = min_seconds - kImuEpsilon;
  const double period = times.type == ImuTimes::Type::kRate ? 1.0 / times.rate : 0.0;
  return report.not_finite == 0 && report.unordered < 0 && report.gap < 0 &&
         (report.last >= needed || report.last + period >= needed);
}

// The first `used` samples of each channel where they are; nothing for those that are no floats.
std::optional<ImuSamples> floats(const Array& array, std::int64_t used) noexcept {
  if (array.kind != Kind::kFloat || (array.bits != 32 && array.bits != 64)) {
    return std::nullopt;
  }
  const auto type = array.bits == 32 ? ImuSamples::Type::kFloat32 : ImuSamples::Type::kFloat64;
  return ImuSamples{array.data, type, used, array.shape[1], 1};
}

// The same; integers become floats in `converted`.
std::optional<ImuSamples> read_samples(const Array& array, std::int64_t used,
                                       std::unique_ptr<double[]>& converted) {
  const std::int64_t count = array.shape[1];
  if (array.kind == Kind::kFloat) {
    return floats(array, used);
  }
  converted =
      std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(kernels::kImuChannels * used));
  const bool known = with_numbers(array, [&](const auto* values) {
    for (std::int64_t channel = 0; channel < kernels::kImuChannels; ++channel) {
      for (std::int64_t i = 0; i < used; ++i) {
        converted[static_cast<std::size_t>(channel * used + i)] =
            static_cast<double>(values[channel * count + i]);
      }
    }
  });
  return known ? std::optional(ImuSamples{converted.get(), ImuSamples::Type::kFloat64, used, used, 1})
               : std::nullopt;
}

constexpr int kSparse = 20;  // every so many steps are enough for a mean

// The mean length of the first three channels' vector at steps 0, `every`, … of `input` [channels, steps].
double mean_magnitude(const float* input, int steps, int every) noexcept {
  double sum = 0;
  for (int step = 0; step < steps; step += every) {
    double square = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const double value = input[axis * steps + step];
      square += value * value;
    }
    sum += std::sqrt(square);
  }
  return sum / (steps / every);
}

// As Python's round(number, 3).
double rounded(double number) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", number);
  return std::strtod(text, nullptr);
}

}  // namespace

double mean_acceleration(const float* input) noexcept {
  return mean_magnitude(input, kernels::kImuSteps, kSparse);
}

std::optional<Prepared> prepare_imu(const Item& item, const Limits&, Slots& slots) {
  const auto* const samples = std::get_if<Array>(&item.source);
  if (samples == nullptr || samples->shape.size() != 2 || samples->shape[0] != kernels::kImuChannels ||
      samples->shape[1] < 2) {
    return std::nullopt;
  }
  const std::int64_t count = samples->shape[1];
  Options options(item);
  const Units units = read_units(options);
  const double max_gap = options.positive("max_gap").value_or(kImuMaxGap);
  const double min_seconds = options.positive("min_seconds").value_or(kImuMinSeconds);
  const auto rate = options.positive("rate");
  const auto times = read_times(rate, options.array("timestamps"), count);
  if (!options.usual() || !times) {
    return std::nullopt;
  }
  const kernels::ImuTimeReport report = kernels::check_imu_times(*times, count, max_gap);
  if (!are_good(report, *times, min_seconds)) {
    return std::nullopt;
  }
  kernels::ImuOptions grid;
  grid.gain = {units.accel, units.accel, units.accel, units.gyro, units.gyro, units.gyro};
  if (samples->lent != nullptr) {
    const auto there = floats(*samples, report.used);
    return there && leave_lent_imu(*there, *times, grid, samples->lent, slots) ? std::optional(Prepared{})
                                                                               : std::nullopt;
  }
  std::unique_ptr<double[]> converted;
  const auto used = read_samples(*samples, report.used, converted);
  if (!used) {
    return std::nullopt;
  }
  Prepared prepared;
  const auto note_unit = [&](double mean) {
    if (units.in_metres && kLeastG <= mean && mean <= kMostG) {
      prepared.notes.emplace_back("perhaps_g", rounded(mean));
    }
  };
  if (leave_imu(*used, *times, grid, slots)) {
    std::array<float, kernels::kImuChannels*(kernels::kImuSteps / kSparse)> some;
    kernels::imu_steps(*used, *times, grid, kSparse, some.data());
    note_unit(mean_magnitude(some.data(), kernels::kImuSteps / kSparse, 1));
    return prepared;
  }
  float* const out = slots.reserve(1);
  if (kernels::imu_grid(*used, *times, grid, out) > 0) {
    return std::nullopt;
  }
  kernels::AudioView all;
  all.samples = out;
  all.count = std::int64_t{kernels::kImuChannels} * kernels::kImuSteps;
  if (!(kernels::peak(all) <= kImuMost)) {
    return std::nullopt;
  }
  note_unit(mean_acceleration(out));
  return prepared;
}

}  // namespace bindrt::prepare
