// Names for the numbers in csrc/prepare.
#include "csrc/python/prepare/numbers.h"

#include <cstddef>
#include <string_view>

#include "csrc/jpeg/segments.h"
#include "csrc/png/metadata.h"
#include "csrc/prepare/audio_numbers.h"
#include "csrc/prepare/imu_numbers.h"
#include "csrc/prepare/map_numbers.h"
#include "csrc/prepare/picture_numbers.h"
#include "csrc/prepare/video_numbers.h"
#include "csrc/python/arguments/arrays.h"
#include "csrc/video/film_numbers.h"
#include "kernels/imu/imu.h"

namespace py = pybind11;

namespace bindrt {

namespace {

using py::literals::operator""_a;

py::str text(std::string_view name) { return {name.data(), name.size()}; }

py::dict imu() {
  return py::dict("gravity"_a = prepare::kStandardGravity, "max_gap"_a = prepare::kImuMaxGap,
                  "min_seconds"_a = prepare::kImuMinSeconds, "epsilon"_a = prepare::kImuEpsilon,
                  "most"_a = prepare::kImuMost, "least_g"_a = prepare::kLeastG, "most_g"_a = prepare::kMostG);
}

py::dict audio() {
  return py::dict("clips"_a = prepare::kAudioClips,
                  "clip_seconds"_a = static_cast<double>(prepare::kAudioClipSeconds),
                  "whole_seconds"_a = prepare::kWholeSeconds, "least_rate"_a = prepare::kLeastRate,
                  "most_rate"_a = prepare::kMostRate, "most_channels"_a = prepare::kMostChannels,
                  "most_sample"_a = static_cast<double>(prepare::kMostSample));
}

py::dict cameras() {
  py::dict known;
  for (const prepare::Camera& each : prepare::kCameras) {
    known[text(each.name)] = py::dict("focal"_a = each.focal, "baseline"_a = each.baseline);
  }
  return known;
}

template <std::size_t N>
py::dict counts(const prepare::Counts (&units)[N]) {
  py::dict known;
  for (const prepare::Counts& each : units) {
    known[text(each.unit)] = each.count;
  }
  return known;
}

py::dict depth() {
  return py::dict("any_camera"_a = prepare::kAnyCamera, "cameras"_a = cameras(),
                  "counts"_a = counts(prepare::kMetreCounts), "least_scale"_a = prepare::kLeastScale,
                  "most_scale"_a = prepare::kMostScale);
}

py::dict thermal() {
  return py::dict("zero_celsius"_a = prepare::kZeroCelsius, "counts"_a = counts(prepare::kKelvinCounts),
                  "least_centikelvin"_a = prepare::kLeastCentikelvin,
                  "most_centikelvin"_a = prepare::kMostCentikelvin);
}

py::dict picture() {
  return py::dict("most_bytes"_a = prepare::kMostPictureBytes, "most_in_place"_a = prepare::kMostInPlace,
                  "held_bytes"_a = prepare::kHeldBytes, "held_jpeg2000"_a = prepare::kHeldJpeg2000,
                  "chroma"_a = prepare::kChroma, "most_segments"_a = jpeg::kMostSegments,
                  "most_chunks"_a = png::kMostChunks);
}

py::dict film() {
  py::dict kept;
  for (const video::Kept& each : video::kKept) {
    kept[text(each.decoder)] = each.frames;
  }
  return py::dict(
      "clips"_a = prepare::kVideoClips, "clip_seconds"_a = static_cast<double>(prepare::kVideoClipSeconds),
      "frames"_a = prepare::kVideoFrames, "free_pixels"_a = video::kFreePixels, "fastest"_a = video::kFastest,
      "free_packets"_a = video::kFreePackets, "least_packet"_a = video::kLeastPacket,
      "packed_times"_a = video::kPackedTimes, "missing"_a = video::kMissing, "large"_a = video::kLarge,
      "held_each"_a = video::kHeldEach, "kept"_a = kept, "few_kept"_a = video::kFewKept);
}

}  // namespace

py::dict item_numbers() {
  return py::dict("audio"_a = audio(), "depth"_a = depth(), "imu"_a = imu(), "picture"_a = picture(),
                  "thermal"_a = thermal(), "video"_a = film());
}

double mean_acceleration(const py::object& input) {
  const py::array array = require_float32(input, "input", 2);
  if (array.shape(0) != kernels::kImuChannels || array.shape(1) != kernels::kImuSteps) {
    throw py::value_error("input has shape " + shape_text(array) + "; it must be (6, 2000)");
  }
  return prepare::mean_acceleration(static_cast<const float*>(array.data()));
}

}  // namespace bindrt
