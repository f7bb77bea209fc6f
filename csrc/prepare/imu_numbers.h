// The numbers of IMU items that Python and C++ share.
#pragma once

namespace bindrt::prepare {

inline constexpr double kStandardGravity = 9.80665;  // m/s² in one g
inline constexpr double kImuMaxGap = 0.1;            // seconds between samples, if the caller says nothing
inline constexpr double kImuMinSeconds = 4.95;       // an item's least length, likewise
inline constexpr double kImuEpsilon = 1e-6;          // seconds; rates such as 97.3 Hz are not exact in binary
inline constexpr double kImuMost =
    1e6;  // m/s² or rad/s, after the conversion; far more than any sensor measures

// The mean acceleration of a recording in g lies between these; one in m/s² has about 9.8.
inline constexpr double kLeastG = 0.7;
inline constexpr double kMostG = 1.5;

// The mean acceleration of the model's input, float32 [6, 2000], from some of its steps.
double mean_acceleration(const float* input) noexcept;

}  // namespace bindrt::prepare
