// The IMU op: its grid, its samples, and the structs that host and device share.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

inline constexpr int kImuChannels = 6;
inline constexpr int kImuSteps = 2000;
inline constexpr double kImuRate = 400.0;  // steps a second

struct ImuSamples {
  enum class Type : std::int32_t {
    kFloat32 = 0,
    kFloat64 = 1,
    kInt8 = 2,
    kUint8 = 3,
    kInt16 = 4,
    kUint16 = 5,
    kInt32 = 6,
    kUint32 = 7,
    kInt64 = 8,
    kUint64 = 9
  };
  // Channel c, sample i at data + c·channel_stride + i·sample_stride.
  const void* data;
  Type type;
  std::int64_t count;           // samples of each channel, >= 2
  std::int64_t channel_stride;  // in numbers; may be negative
  std::int64_t sample_stride;
};

inline constexpr std::uint32_t kImuThreads = 256;  // threads of a block

struct ImuItem {
  ImuSamples samples;     // `data` in device memory
  const double* seconds;  // [samples.count] since the first sample; null: by `rate`
  double rate;
};

struct ImuParams {
  const ImuItem* items;       // [items]
  std::uint32_t* not_finite;  // [items], numbers of each item's samples that are NaN or infinite
  void* out;                  // [items, kImuChannels, kImuSteps] of `type`
  double gain[kImuChannels];
  double offset[kImuChannels];
  double not_a_number;  // what an item gets whose samples are not all finite
  OutType type;
};

}  // namespace bindrt::kernels
