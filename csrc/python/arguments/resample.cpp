// Checks of the two rates of a resampling.
#include "csrc/python/arguments/resample.h"

#include <pybind11/pybind11.h>

#include <cstdint>
#include <numeric>
#include <string>

#include "csrc/python/arguments/arrays.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::AudioView;
using kernels::SampleType;

SampleType type_of(const py::array& samples) {
  const py::dtype dtype = samples.dtype();
  if (dtype.equal(py::dtype::of<float>())) {
    return SampleType::kFloat32;
  }
  if (dtype.equal(py::dtype::of<std::int16_t>())) {
    return SampleType::kInt16;
  }
  if (dtype.equal(py::dtype::of<std::int32_t>())) {
    return SampleType::kInt32;
  }
  throw py::value_error("samples has dtype " + dtype_text(samples) +
                        "; it must be float32, int16 or int32 of this machine's byte order");
}

}  // namespace

AudioView audio_view(const py::object& object, std::int64_t begin) {
  const py::array samples = require_array(object, "samples");
  const py::ssize_t dimensions = samples.ndim();
  if ((dimensions != 1 && dimensions != 2) || (dimensions == 2 && samples.shape(0) < 1)) {
    throw py::value_error("samples has shape " + shape_text(samples) + "; it must be [N] or [channels, N]");
  }
  AudioView view;
  view.samples = samples.data();
  view.type = type_of(samples);
  view.begin = begin;
  view.count = samples.shape(dimensions - 1);
  view.sample_stride = samples.strides(dimensions - 1);
  if (dimensions == 2) {
    if (samples.shape(0) > 1024) {
      throw py::value_error("samples has " + std::to_string(samples.shape(0)) +
                            " channels; at most 1024, and [channels, N], are taken");
    }
    view.channels = static_cast<std::int32_t>(samples.shape(0));
    view.channel_stride = samples.strides(0);
  }
  if (begin < 0 || begin > kMaxSamples || view.count > kMaxSamples) {
    throw py::value_error("begin is " + std::to_string(begin) + " or samples too long; both are 0 to 2^40");
  }
  return view;
}

kernels::ResampleRates read_rates(std::int64_t orig, std::int64_t target) {
  if (orig < 1 || target < 1) {
    throw py::value_error("rates are " + std::to_string(orig) + " and " + std::to_string(target) +
                          "; both must be positive");
  }
  const std::int64_t common = std::gcd(orig, target);
  const kernels::ResampleRates rates{orig / common, target / common};
  if (!kernels::resamples(rates)) {
    throw py::value_error("from " + std::to_string(orig) + " to " + std::to_string(target) +
                          " is too far; in lowest terms both rates must be at most 2^32, and their ratio "
                          "below 40000");
  }
  return rates;
}

}  // namespace bindrt
