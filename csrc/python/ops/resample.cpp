// The door to the resampling op, for recordings of any layout.
#include "csrc/python/arguments/resample.h"

#include <pybind11/stl.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/gil.h"
#include "kernels/resample/audio_view.h"
#include "kernels/resample/resample.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::AudioView;

struct OutputRange {
  std::int64_t start;
  std::int64_t count;
};

// Outputs of the whole view, or [start, stop) after checks.
OutputRange range_of(const kernels::ResampleRates& rates, const AudioView& view, std::int64_t start,
                     std::optional<std::int64_t> stop) {
  const double most = std::ldexp(1.0, 61) / static_cast<double>(rates.orig);
  const double ratio = static_cast<double>(rates.target) / static_cast<double>(rates.orig);
  const double all = static_cast<double>(view.begin + view.count) * ratio;
  const double last = stop ? static_cast<double>(*stop) : all;
  if (start < 0 || (stop && *stop < start) || last > std::min(most, std::ldexp(1.0, 42))) {
    throw py::value_error("start is " + std::to_string(start) + " and stop " + std::to_string(last) +
                          "; 0 <= start <= stop <= 2^42 and stop * orig < 2^61 must hold");
  }
  if (stop) {
    return {start, *stop - start};
  }
  const std::int64_t samples = view.begin + view.count;  // ceil(samples * target / orig), in parts
  const std::int64_t rest = samples % rates.orig * rates.target;
  const std::int64_t total = samples / rates.orig * rates.target + (rest + rates.orig - 1) / rates.orig;
  return {start, std::max<std::int64_t>(total - start, 0)};
}

std::int32_t channel_of(const AudioView& view, std::int32_t channel) {
  if (channel < kernels::kMeanOfChannels || channel >= view.channels) {
    throw py::value_error("channel is " + std::to_string(channel) + "; it must be below " +
                          std::to_string(view.channels) + ", or -1 for the mean of all");
  }
  return channel;
}

py::array resample(const py::object& samples, std::int64_t orig, std::int64_t target,
                   std::optional<std::int32_t> channel, std::int64_t start, std::optional<std::int64_t> stop,
                   std::int64_t begin, const py::object& given, int threads) {
  const AudioView view = audio_view(samples, begin);
  const kernels::ResampleRates rates = read_rates(orig, target);
  const OutputRange range = range_of(rates, view, start, stop);
  const bool plain = channel.has_value() || py::reinterpret_borrow<py::array>(samples).ndim() == 1;
  const std::int32_t first = channel_of(view, channel.value_or(0));
  const std::int32_t count = plain ? 1 : view.channels;
  const std::vector<py::ssize_t> shape =
      plain ? std::vector<py::ssize_t>{range.count} : std::vector<py::ssize_t>{count, range.count};
  py::array out = output_array(given, input_dtype(false), shape);
  require_apart(out, py::reinterpret_borrow<py::array>(samples), "samples");
  auto* const result = static_cast<float*>(out.mutable_data());
  run_kernel([&] {
    bool enough = true;
    for (std::int32_t i = 0; i < count && enough; ++i) {
      enough = kernels::resample(rates, view, first + i, range.start, range.count, result + i * range.count,
                                 threads);
    }
    return enough;
  });
  return out;
}

double resample_sum(const py::object& samples, std::int64_t orig, std::int64_t target, std::int32_t channel,
                    std::int64_t start, std::int64_t stop, std::int64_t begin) {
  const AudioView view = audio_view(samples, begin);
  const kernels::ResampleRates rates = read_rates(orig, target);
  const OutputRange range = range_of(rates, view, start, stop);
  channel_of(view, channel);
  double sum = 0.0;
  run_kernel([&] { return kernels::resample_sum(rates, view, channel, range.start, range.count, &sum); });
  return sum;
}

float peak(const py::object& samples) {
  const AudioView view = audio_view(samples, 0);
  const WithoutGil release;
  return kernels::peak(view);
}

}  // namespace

void bind_resample(py::module_& module) {
  module.def("resample", &resample, py::arg("samples"), py::arg("orig"), py::arg("target"), py::kw_only(),
             py::arg("channel") = py::none(), py::arg("start") = 0, py::arg("stop") = py::none(),
             py::arg("begin") = 0, py::arg("out") = py::none(), py::arg("threads") = 1,
             R"(Resample by a Hann-windowed sinc, 6 zero crossings wide, roll-off 0.99.

samples: float32, int16 or int32, [N] or [channels, N], any strides; they are samples begin ... begin + N - 1
of a recording that is zero elsewhere. orig, target: rates. start, stop: the outputs wanted (all).
channel: one channel, or -1 for the mean of all; None: every one.
Returns float32 [outputs], or [channels, outputs] of every channel of a 2-D array.)");
  module.def("resample_sum", &resample_sum, py::arg("samples"), py::arg("orig"), py::arg("target"),
             py::arg("channel"), py::arg("start"), py::arg("stop"), py::arg("begin") = 0,
             "The sum of the outputs that resample would return.");
  module.def("peak", &peak, py::arg("samples"),
             "The largest magnitude of the samples, integers at full scale 1; NaN if one is that.");
}

}  // namespace bindrt
