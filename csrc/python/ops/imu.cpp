// The door to the IMU op.
#include "kernels/imu/imu.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/gil.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using Times = kernels::ImuTimes;
using Samples = kernels::ImuSamples;

template <class Number>
bool holds(const py::array& array) {
  return array.dtype().equal(py::dtype::of<Number>());
}

// [6, N] of float32 or float64, any strides that are whole numbers of elements.
Samples read_samples(const py::object& object) {
  const py::array array = require_array(object, "samples");
  if (!holds<float>(array) && !holds<double>(array)) {
    throw py::value_error("samples has dtype " + dtype_text(array) +
                          "; it must be float32 or float64 of this machine's byte order");
  }
  if (array.ndim() != 2 || array.shape(0) != kernels::kImuChannels || array.shape(1) < 2) {
    throw py::value_error("samples has shape " + shape_text(array) + "; it must be (6, N), N at least 2");
  }
  const py::ssize_t size = array.itemsize();
  if (!is_aligned(array) || array.strides(0) % size != 0 || array.strides(1) % size != 0) {
    throw py::value_error("samples is not aligned; pass numpy.ascontiguousarray(samples)");
  }
  const auto type = holds<float>(array) ? Samples::Type::kFloat32 : Samples::Type::kFloat64;
  return {array.data(), type, array.shape(1), array.strides(0) / size, array.strides(1) / size};
}

Times::Type type_of(const py::array& times) {
  if (holds<float>(times)) {
    return Times::Type::kFloat32;
  }
  if (holds<double>(times)) {
    return Times::Type::kFloat64;
  }
  if (holds<std::int64_t>(times)) {
    return Times::Type::kInt64;
  }
  if (holds<std::uint64_t>(times)) {
    return Times::Type::kUint64;
  }
  throw py::value_error("times has dtype " + dtype_text(times) +
                        "; it must be float32, float64, int64 or uint64");
}

// A rate, or an array [N] whose memory the caller holds.
Times read_times(const py::object& object, std::int64_t count) {
  if (!py::isinstance<py::array>(object)) {
    const auto rate = object.cast<double>();
    if (!std::isfinite(rate) || rate <= 0.0) {
      throw py::value_error("the rate is " + std::to_string(rate) + "; it must be above 0");
    }
    return {Times::Type::kRate, rate, nullptr};
  }
  const auto array = py::reinterpret_borrow<py::array>(object);
  if (array.ndim() != 1 || array.shape(0) < count) {
    throw py::value_error("times has shape " + shape_text(array) +
                          "; it must have one dimension and at least " + std::to_string(count) + " values");
  }
  const Times::Type type = type_of(array);
  if (!is_contiguous(array) || !is_aligned(array)) {
    throw py::value_error("times is not contiguous and aligned; pass numpy.ascontiguousarray(times)");
  }
  return {type, 0.0, array.data()};
}

void read_factors(const std::vector<double>& given, const char* name,
                  std::array<double, kernels::kImuChannels>& factors) {
  if (given.size() != factors.size()) {
    throw py::value_error(std::string(name) + " has " + std::to_string(given.size()) +
                          " numbers; it must have 6");
  }
  std::copy(given.begin(), given.end(), factors.begin());
}

py::dict check_imu_times(const py::object& object, std::int64_t count, double max_gap) {
  if (count < 2) {
    throw py::value_error("count is " + std::to_string(count) + "; it must be at least 2");
  }
  const Times times = read_times(object, count);
  kernels::ImuTimeReport report;
  {
    const WithoutGil release;
    report = kernels::check_imu_times(times, count, max_gap);
  }
  py::dict told;
  told["not_finite"] = report.not_finite;
  told["unordered"] = report.unordered;
  told["last"] = report.last;
  told["gap"] = report.gap;
  told["gap_seconds"] = report.gap_seconds;
  told["used"] = report.used;
  return told;
}

py::tuple imu_grid(const py::object& samples_object, const py::object& times_object,
                   const std::vector<double>& gain, const std::vector<double>& offset, bool half,
                   const py::object& given) {
  const Samples samples = read_samples(samples_object);
  const Times times = read_times(times_object, samples.count);
  kernels::ImuOptions options;
  read_factors(gain, "gain", options.gain);
  read_factors(offset, "offset", options.offset);
  options.out_type = out_type(half);
  py::array out = output_array(given, input_dtype(half), {kernels::kImuChannels, kernels::kImuSteps});
  require_apart(out, py::reinterpret_borrow<py::array>(samples_object), "samples");
  if (times.data != nullptr) {
    require_apart(out, py::reinterpret_borrow<py::array>(times_object), "times");
  }
  void* const result = out.mutable_data();
  std::int64_t bad = 0;
  {
    const WithoutGil release;
    bad = kernels::imu_grid(samples, times, options, result);
  }
  return py::make_tuple(out, bad);
}

}  // namespace

void bind_imu(py::module_& module) {
  module.def("check_imu_times", &check_imu_times, py::arg("times"), py::arg("count"), py::arg("max_gap"),
             R"(Check times for `imu_grid`: a rate, or seconds float32, float64, int64 or uint64 [count].

not_finite: how many are NaN or infinite; unordered: the first sample not later than its predecessor, or -1;
last: the last sample's seconds since the first; gap: the first sample of the window with more than max_gap
seconds to the next, or -1; used: samples, from the first, that the grid depends on. What comes after a
fault is not filled.)");
  module.def("imu_grid", &imu_grid, py::arg("samples"), py::arg("times"), py::arg("gain"), py::arg("offset"),
             py::arg("half") = false, py::arg("out") = py::none(),
             R"(Inertial samples onto the even grid of 2000 steps at 400 Hz: value · gain + offset.

samples: float32 or float64 [6, N], the first `used` of `check_imu_times`, which found no fault; times: the
rate, or an array [>= N]; gain, offset: six numbers each; out: an array to write into, or None.
Returns float32 (half: float16) [6, 2000], and how many samples are not finite; if any, no result was written.)");
}

}  // namespace bindrt
