// The door to the log-mel op on a GPU.
#include "kernels/mel/mel_gpu.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/mel.h"
#include "csrc/python/gpu/run_op.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

py::tuple mel_clips(const py::object& object, const ClipPairs& pairs, bool half, int rounds, int device) {
  const py::array samples = require_float32(object, "samples", 2);
  const py::ssize_t items = samples.shape(0);
  const py::ssize_t count = samples.shape(1);
  const std::vector<kernels::ClipRange> ranges = read_ranges(pairs, {}, count);
  const auto clips = static_cast<py::ssize_t>(ranges.size());
  kernels::MelOutput output;
  output.type = out_type(half);
  const py::array out = batch_array(half, {items * clips, 1, kernels::kMelBands, output.columns});
  const auto* const host = static_cast<const float*>(samples.data());
  const auto numbers = static_cast<std::size_t>(samples.size());
  const auto seconds =
      run_op(device, rounds, {out}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) {
        const float* const moved = kernels::to_device(queue, host, numbers);
        output.out = outputs[0];
        std::vector<kernels::MelRecording> made(static_cast<std::size_t>(items));
        for (py::ssize_t item = 0; item < items; ++item) {
          kernels::MelRecording& recording = made[static_cast<std::size_t>(item)];
          recording.first = recording.channels = moved + item * count;
          std::copy(ranges.begin(), ranges.end(), recording.ranges);
          recording.clips = static_cast<std::int32_t>(clips);
          recording.view = item * clips;
        }
        return [&queue, &output, made] {
          kernels::log_mel_gpu(queue, made.data(), static_cast<std::int64_t>(made.size()), output);
        };
      });
  return py::make_tuple(out, seconds);
}

}  // namespace

void bind_mel(py::module_& module) {
  module.def(
      "mel_clips", &mel_clips, py::arg("samples"), py::arg("ranges"), py::kw_only(), py::arg("half") = false,
      py::arg("rounds") = 1, py::arg("device") = 0,
      "As `_core.mel_clips`, for float32 [items, N] of one channel each, whose clips' means are found on "
      "the device: [items * clips, 1, 128, 204], and the seconds. Samples must be finite.");
}

}  // namespace bindrt::gpu
