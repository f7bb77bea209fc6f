// The numbers of preprocessing that the kernels compute with, for Python: it records them in bundles and
// hashes them into the space of the vectors, so that another number in a kernel makes another space.
#include <pybind11/pybind11.h>

#include "csrc/python/bindings.h"
#include "kernels/base/picture_input.h"
#include "kernels/imu/imu_params.h"
#include "kernels/map/depth.h"
#include "kernels/mel/mel.h"
#include "kernels/resample/resample_taps.h"
#include "kernels/video/video.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using py::literals::operator""_a;

py::list clip_means() {
  py::list means;
  for (std::int32_t channel = 0; channel < 3; ++channel) {
    means.append(kernels::clip_mean(channel));
  }
  return means;
}

py::list clip_deviations() {
  py::list deviations;
  for (std::int32_t channel = 0; channel < 3; ++channel) {
    deviations.append(kernels::clip_deviation(channel));
  }
  return deviations;
}

py::dict image() {
  return py::dict("side"_a = kernels::kPictureSide, "mean"_a = clip_means(), "std"_a = clip_deviations());
}

py::dict video() {
  py::dict numbers = image();
  numbers["crops"] = kernels::kVideoCrops;
  return numbers;
}

py::dict mel() {
  return py::dict("rate"_a = kernels::kMelRate, "bands"_a = kernels::kMelBands,
                  "frames"_a = kernels::kMelFrames, "window"_a = kernels::kMelWindow,
                  "hop"_a = kernels::kMelHop, "fft"_a = kernels::kMelFft, "low"_a = kernels::kMelLow,
                  "high"_a = kernels::kMelHigh, "preemphasis"_a = kernels::kMelPreemphasis,
                  "floor"_a = kernels::kMelFloor, "mean"_a = kernels::kMelMean, "std"_a = kernels::kMelStd);
}

py::dict resample() {
  return py::dict("width"_a = kernels::kResampleWidth, "rolloff"_a = kernels::kResampleRolloff);
}

py::dict depth() {
  return py::dict("side"_a = kernels::kPictureSide, "scale"_a = kernels::kDepthScale,
                  "focal"_a = kernels::kDepthFocal, "baseline"_a = kernels::kDepthBaseline,
                  "nearest"_a = kernels::kDepthNearest, "farthest"_a = kernels::kDepthFarthest,
                  "disparity_min"_a = kernels::kDisparityMin, "disparity_max"_a = kernels::kDisparityMax,
                  "mean"_a = kernels::kDisparityMean, "std"_a = kernels::kDisparityStd);
}

py::dict constants() {
  return py::dict("image"_a = image(), "video"_a = video(), "mel"_a = mel(), "resample"_a = resample(),
                  "depth"_a = depth(), "thermal"_a = py::dict("side"_a = kernels::kPictureSide),
                  "imu"_a = py::dict("rate"_a = kernels::kImuRate, "steps"_a = kernels::kImuSteps));
}

}  // namespace

void bind_constants(py::module_& module) {
  module.def("constants", &constants,
             R"(The numbers of preprocessing that the kernels compute with, by op; a fresh copy.

image, video: side in pixels, CLIP's mean and std for values 0 to 1; video: crops of a frame. mel: rate in Hz,
bands, frames of a clip, window, hop and fft in samples, low and high in Hz, preemphasis, floor of the energies,
mean and std of the logarithms. resample: width in zero crossings, rolloff. depth: side, scale, focal in pixels,
baseline in metres, nearest and farthest effective depth, disparity_min and disparity_max in pixels, mean and std
of disparity / disparity_max. thermal: side. imu: rate in steps a second, steps.)");
}

}  // namespace bindrt
