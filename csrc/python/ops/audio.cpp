#include "csrc/python/arguments/audio.h"

#include <pybind11/stl.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/bindings.h"
#include "kernels/mel/mel.h"
#include "kernels/mel/mel_clips.h"
#include "kernels/resample/audio_view.h"
#include "kernels/resample/resample.h"

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
  throw py::value_error("samples has dtype " + py::str(dtype).cast<std::string>() +
                        "; it must be float32, int16 or int32 of this machine's byte order");
}

// Samples [N] or [channels, N] of any strides.
AudioView view_of(const py::object& object, std::int64_t begin) {
  if (!py::isinstance<py::array>(object)) {
    throw py::value_error(std::string("samples is a ") + Py_TYPE(object.ptr())->tp_name +
                          "; pass a NumPy array");
  }
  const py::array samples = py::reinterpret_borrow<py::array>(object);
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

// Outputs of the whole view, or [start, stop) after checks.
struct Part {
  std::int64_t start;
  std::int64_t count;
};

Part part_of(const kernels::ResampleRates& rates, const AudioView& view, std::int64_t start,
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

py::array output(const py::object& out, const std::vector<py::ssize_t>& shape, bool half,
                 const py::object& input) {
  const py::dtype dtype = half ? py::dtype("float16") : py::dtype::of<float>();
  if (out.is_none()) {
    return py::array(dtype, shape);
  }
  if (!py::isinstance<py::array>(out)) {
    throw py::value_error(std::string("out is a ") + Py_TYPE(out.ptr())->tp_name + "; pass a NumPy array");
  }
  py::array array = py::reinterpret_borrow<py::array>(out);
  const bool fits = std::equal(shape.begin(), shape.end(), array.shape(), array.shape() + array.ndim());
  if (!fits || !array.dtype().equal(dtype)) {
    throw py::value_error("out is " + py::str(array.dtype()).cast<std::string>() + " " + shape_text(array) +
                          "; it must be " + py::str(dtype).cast<std::string>() + " " +
                          py::str(py::cast(shape)).cast<std::string>());
  }
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(array.data()) % static_cast<std::uintptr_t>(dtype.itemsize()) == 0;
  if ((array.flags() & py::array::c_style) == 0 || !aligned || !array.writeable()) {
    throw py::value_error("out is read-only, or not C-contiguous and aligned");
  }
  if (py::module_::import("numpy").attr("may_share_memory")(array, input).cast<bool>()) {
    throw py::value_error("out shares memory with samples");
  }
  return array;
}

py::array resample(const py::object& samples, std::int64_t orig, std::int64_t target,
                   std::optional<std::int32_t> channel, std::int64_t start, std::optional<std::int64_t> stop,
                   std::int64_t begin, const py::object& out_object, int threads) {
  const AudioView view = view_of(samples, begin);
  const kernels::ResampleRates rates = read_rates(orig, target);
  const Part part = part_of(rates, view, start, stop);
  const bool plain = channel.has_value() || py::reinterpret_borrow<py::array>(samples).ndim() == 1;
  const std::int32_t first = channel_of(view, channel.value_or(0));
  const std::int32_t count = plain ? 1 : view.channels;
  const std::vector<py::ssize_t> shape =
      plain ? std::vector<py::ssize_t>{part.count} : std::vector<py::ssize_t>{count, part.count};
  py::array out = output(out_object, shape, false, samples);
  auto* const result = static_cast<float*>(out.mutable_data());
  bool done = true;
  {
    const py::gil_scoped_release release;
    for (std::int32_t i = 0; i < count && done; ++i) {
      done =
          kernels::resample(rates, view, first + i, part.start, part.count, result + i * part.count, threads);
    }
  }
  if (!done) {
    throw std::bad_alloc();
  }
  return out;
}

double resample_sum(const py::object& samples, std::int64_t orig, std::int64_t target, std::int32_t channel,
                    std::int64_t start, std::int64_t stop, std::int64_t begin) {
  const AudioView view = view_of(samples, begin);
  const kernels::ResampleRates rates = read_rates(orig, target);
  const Part part = part_of(rates, view, start, stop);
  channel_of(view, channel);
  double sum = 0.0;
  bool done = false;
  {
    const py::gil_scoped_release release;
    done = kernels::resample_sum(rates, view, channel, part.start, part.count, &sum);
  }
  if (!done) {
    throw std::bad_alloc();
  }
  return sum;
}

float peak(const py::object& samples) {
  const AudioView view = view_of(samples, 0);
  const py::gil_scoped_release release;
  return kernels::peak(view);
}

// One channel at 16 kHz for the mel kernel.
const float* mel_samples(const py::object& object) {
  const py::array samples = require_float32(object, "samples", 1);
  const auto* const data = static_cast<const float*>(samples.data());
  AudioView view;
  view.samples = data;
  view.count = samples.shape(0);
  const float most = kernels::peak(view);
  if (!(most <= kernels::kMelMaxSample)) {
    throw py::value_error("samples are NaN, infinite or beyond 2^50; full scale is 1");
  }
  return data;
}

kernels::OutType out_type(bool half) {
  return half ? kernels::OutType::kFloat16 : kernels::OutType::kFloat32;
}

py::array log_mel(const py::object& samples, std::optional<std::int64_t> columns, float add, float times,
                  bool half, const py::object& out_object, int threads) {
  kernels::MelClip clip;
  clip.samples = mel_samples(samples);
  clip.count = py::len(samples);
  const std::int64_t width = columns.value_or(kernels::mel_frames(clip.count));
  if (width < 0 || width > kMaxSamples || !std::isfinite(add) || !std::isfinite(times)) {
    throw py::value_error("columns must be 0 to 2^40, and add and times finite");
  }
  py::array out = output(out_object, {kernels::kMelBands, width}, half, samples);
  const kernels::MelOutput target{out.mutable_data(), out_type(half), width, add, times};
  const py::gil_scoped_release release;
  kernels::log_mel(&clip, 1, target, threads);
  return out;
}

std::vector<bool> needs_means(const ClipPairs& pairs) {
  const auto ranges = read_ranges(pairs, {}, kMaxSamples);
  const auto count = static_cast<std::int64_t>(ranges.size());
  std::vector<bool> needed;
  for (std::int64_t i = 0; i < count; ++i) {
    needed.push_back(kernels::needs_mean(ranges.data(), count, i));
  }
  return needed;
}

py::array mel_clips(const py::object& samples, const ClipPairs& pairs, const std::vector<double>& means,
                    bool half, const py::object& out_object, int threads) {
  const float* const data = mel_samples(samples);
  const auto ranges = read_ranges(pairs, means, static_cast<std::int64_t>(py::len(samples)));
  const auto count = static_cast<std::int64_t>(ranges.size());
  py::array out = output(out_object, {count, 1, kernels::kMelBands, kernels::kMelFrames}, half, samples);
  std::array<kernels::MelClip, kernels::kMostClips> clips;
  kernels::plan_clips(ranges.data(), count, data, kernels::kMelFrames, clips.data());
  kernels::MelOutput target;
  target.out = out.mutable_data();
  target.type = out_type(half);
  const py::gil_scoped_release release;
  kernels::log_mel(clips.data(), count, target, threads);
  return out;
}

}  // namespace

void bind_audio(py::module_& module) {
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
  module.def(
      "log_mel", &log_mel, py::arg("samples"), py::kw_only(), py::arg("columns") = py::none(),
      py::arg("add") = 0.0F, py::arg("times") = 1.0F, py::arg("half") = false, py::arg("out") = py::none(),
      py::arg("threads") = 1,
      R"(Kaldi's log-mel spectrum of float32 samples [N] at 16 kHz: (log + add) * times, [128, columns].

columns: frames beyond are cut, missing ones are as logarithms of 0; None: as many as there are.
half: float16 instead of float32.)");
  module.def("mel_clips", &mel_clips, py::arg("samples"), py::arg("ranges"), py::arg("means"), py::kw_only(),
             py::arg("half") = false, py::arg("out") = py::none(), py::arg("threads") = 1,
             R"(The audio encoder's input of clips of one recording, [clips, 1, 128, 204].

samples: its first channel at 16 kHz, float32 [N]; ranges: (start, stop) of each clip, in order, at most 3;
means: the mean over all channels of each, or [] where needs_means is false for all.)");
  module.def("needs_means", &needs_means, py::arg("ranges"),
             "For each of mel_clips' ranges, whether its mean has an effect on a later one.");
}

}  // namespace bindrt
