// The door to the log-mel op: spectra of clips at 16 kHz.
#include "csrc/python/arguments/mel.h"

#include <pybind11/stl.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/resample.h"
#include "csrc/python/gil.h"
#include "kernels/mel/mel.h"
#include "kernels/mel/mel_clips.h"
#include "kernels/resample/audio_view.h"

namespace py = pybind11;

namespace bindrt {
namespace {

// One channel at 16 kHz for the mel kernel.
const float* mel_samples(const py::object& object) {
  const py::array samples = require_float32(object, "samples", 1);
  const auto* const data = static_cast<const float*>(samples.data());
  kernels::AudioView view;
  view.samples = data;
  view.count = samples.shape(0);
  const float most = kernels::peak(view);
  if (!(most <= kernels::kMelMaxSample)) {
    throw py::value_error("samples are NaN, infinite or beyond 2^50; full scale is 1");
  }
  return data;
}

py::array log_mel(const py::object& samples, std::optional<std::int64_t> columns, float add, float times,
                  bool half, const py::object& given, int threads) {
  kernels::MelClip clip;
  clip.samples = mel_samples(samples);
  clip.count = py::len(samples);
  const std::int64_t width = columns.value_or(kernels::mel_frames(clip.count));
  if (width < 0 || width > kMaxSamples || !std::isfinite(add) || !std::isfinite(times)) {
    throw py::value_error("columns must be 0 to 2^40, and add and times finite");
  }
  py::array out = output_array(given, input_dtype(half), {kernels::kMelBands, width});
  require_apart(out, py::reinterpret_borrow<py::array>(samples), "samples");
  const kernels::MelOutput target{out.mutable_data(), out_type(half), width, add, times};
  const WithoutGil release;
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

// A step is a sample of its clip, and what is subtracted before it.
using Steps = std::vector<std::pair<std::int64_t, float>>;

std::vector<Steps> mel_steps(const ClipPairs& pairs, const std::vector<double>& means) {
  const auto ranges = read_ranges(pairs, means, kMaxSamples);
  std::vector<Steps> found;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(ranges.size()); ++i) {
    std::array<kernels::MelStep, kernels::kMelSteps> steps{};
    kernels::clip_steps(ranges.data(), i, steps.data());
    Steps& clip = found.emplace_back();
    for (const kernels::MelStep& step : steps) {
      if (step.at > 0) {
        clip.emplace_back(step.at, step.shift);
      }
    }
  }
  return found;
}

py::array mel_clips(const py::object& samples, const ClipPairs& pairs, const std::vector<double>& means,
                    bool half, const py::object& given, int threads) {
  const float* const data = mel_samples(samples);
  const auto ranges = read_ranges(pairs, means, static_cast<std::int64_t>(py::len(samples)));
  const auto count = static_cast<std::int64_t>(ranges.size());
  py::array out = output_array(given, input_dtype(half), {count, 1, kernels::kMelBands, kernels::kMelFrames});
  require_apart(out, py::reinterpret_borrow<py::array>(samples), "samples");
  std::array<kernels::MelClip, kernels::kMostClips> clips;
  kernels::plan_clips(ranges.data(), count, data, kernels::kMelFrames, clips.data());
  kernels::MelOutput target;
  target.out = out.mutable_data();
  target.type = out_type(half);
  const WithoutGil release;
  kernels::log_mel(clips.data(), count, target, threads);
  return out;
}

}  // namespace

void bind_mel(py::module_& module) {
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
  module.def("mel_steps", &mel_steps, py::arg("ranges"), py::arg("means"),
             R"(What the means of mel_clips' earlier ranges leave inside each one: (sample, shift) pairs.

Samples of the clip before that one have the shift subtracted, as mel_clips does it.)");
}

}  // namespace bindrt
