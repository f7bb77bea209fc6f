// Puts inertial samples, six channels at times of their own, on the even grid that the model takes: linear
// between samples; after the last one its value is held.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/base/portable.h"
#include "kernels/imu/imu_params.h"

namespace bindrt::kernels {

inline constexpr double kImuGapTolerance = 1e-6;  // seconds; rates such as 97.3 Hz are not exact in binary
inline constexpr double kImuWindow = kImuSteps / kImuRate;  // seconds

// Either a rate, or the time of each sample in seconds; only the differences from the first one matter.
struct ImuTimes {
  enum class Type : std::int32_t { kRate = 0, kFloat32 = 1, kFloat64 = 2, kInt64 = 3, kUint64 = 4 };
  Type type;
  double rate;       // for kRate: samples a second, finite and > 0
  const void* data;  // for the other types: [count], adjacent
};

// What a check of the times finds. The check goes in this order and stops at a fault.
struct ImuTimeReport {
  std::int64_t not_finite = 0;  // how many are NaN or infinite: a fault if any
  std::int64_t unordered = -1;  // the first sample that is not later than the one before it: a fault
  double last = 0.0;            // the last sample's seconds since the first
  std::int64_t gap = -1;        // the first sample of the window with a longer gap after it than allowed
  double gap_seconds = 0.0;     // how long that gap is
  std::int64_t used = 0;        // the samples, from the first, that the grid depends on
};

// `count` >= 2 samples have these times; `max_gap` in seconds.
ImuTimeReport check_imu_times(const ImuTimes& times, std::int64_t count, double max_gap) noexcept;

// Writes `out` [count]: the seconds of each sample since the first one.
void imu_seconds(const ImuTimes& times, std::int64_t count, double* out) noexcept;

// Calls `use` with a zero of the type that the samples have, and returns what it does.
template <class Use>
auto with_number(ImuSamples::Type type, const Use& use) {
  switch (type) {
    case ImuSamples::Type::kFloat64:
      return use(double{});
    case ImuSamples::Type::kInt8:
      return use(std::int8_t{});
    case ImuSamples::Type::kUint8:
      return use(std::uint8_t{});
    case ImuSamples::Type::kInt16:
      return use(std::int16_t{});
    case ImuSamples::Type::kUint16:
      return use(std::uint16_t{});
    case ImuSamples::Type::kInt32:
      return use(std::int32_t{});
    case ImuSamples::Type::kUint32:
      return use(std::uint32_t{});
    case ImuSamples::Type::kInt64:
      return use(std::int64_t{});
    case ImuSamples::Type::kUint64:
      return use(std::uint64_t{});
    case ImuSamples::Type::kFloat32:
      break;
  }
  return use(float{});
}

struct ImuOptions {
  std::array<double, kImuChannels> gain{1, 1, 1, 1, 1, 1};  // result = value · gain + offset
  std::array<double, kImuChannels> offset{};
  OutType out_type = OutType::kFloat32;
};

// Writes `out` [kImuChannels, kImuSteps] and returns 0; or returns how many numbers of the samples are NaN
// or infinite. The samples are those that the grid depends on, and the times are without fault.
// Interpolates in double and rounds once. One thread: it takes less time than to wake a second one.
std::int64_t imu_grid(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options,
                      void* out) noexcept;

// As imu_grid, but `out` [kImuChannels, kImuSteps / every] gets only steps 0, `every`, 2 · `every`, … as
// float32. The samples are finite.
void imu_steps(const ImuSamples& samples, const ImuTimes& times, const ImuOptions& options, int every,
               float* out) noexcept;

}  // namespace bindrt::kernels
