// The door to live::MelStore: a window's clip in one call.
#include "csrc/live/mel_store.h"

#include <pybind11/stl.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/resample.h"
#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::kMelFrames;
using Ranges = std::vector<live::FrameRange>;
using Steps = std::vector<std::pair<std::int64_t, float>>;

constexpr std::int64_t kMostNew = 1 << 22;  // frames that are computed at once

live::MelPlan plan_of(std::int64_t first, std::int64_t count, Ranges shared, Ranges own) {
  if (first < 0 || first > kMaxSamples || count < 0 || count > kMelFrames) {
    throw py::value_error("a clip begins at frame 0 or later and has at most " + std::to_string(kMelFrames));
  }
  for (const Ranges* const ranges : {&shared, &own}) {
    for (const auto& [begin, end] : *ranges) {
      if (begin < 0 || end <= begin || end > count) {
        throw py::value_error("frames " + std::to_string(begin) + " to " + std::to_string(end) +
                              " are not some of the clip's " + std::to_string(count));
      }
    }
  }
  return {first, count, std::move(shared), std::move(own)};
}

class MelStore {
 public:
  MelStore(std::int64_t orig, std::int64_t target, std::int64_t phase, float add, float times)
      : store_(read_rates(orig, target), phase, add, times) {
    if (phase < 0 || phase >= kernels::kMelHop) {
      throw py::value_error("phase is " + std::to_string(phase) + "; it must be 0 to 159");
    }
  }

  void start_at(std::int64_t frame) {
    const std::lock_guard lock(mutex_);
    store_.start_at(frame);
  }

  void fill(const py::array& out, const py::object& signal, std::int64_t begin, const live::FrameRange& part,
            std::int64_t frame, const live::MelPlan& plan, const Steps& steps) {
    py::array to = output_array(out, input_dtype(false), {kernels::kMelBands, kMelFrames});
    live::MelWindow window{audio_view(signal, begin), part.first, part.second, frame, {}};
    require_apart(to, py::reinterpret_borrow<py::array>(signal), "signal");
    if (part.first < begin || part.second < part.first || part.second > begin + window.signal.count) {
      throw py::value_error("the window is not a part of the signal");
    }
    if (steps.size() > std::size(window.steps)) {
      throw py::value_error("a clip has at most 2 steps");
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      window.steps[i] = {steps[i].first, steps[i].second};
    }
    auto* const numbers = static_cast<float*>(to.mutable_data());
    bool is_heard = frame >= 0 && frame <= kMaxSamples;
    {
      const WithoutGil release;
      const std::lock_guard lock(mutex_);
      const std::int64_t from = frame + plan.first;
      for (const auto& [first, last] : plan.shared) {
        is_heard = is_heard && from + first >= store_.begin() && from + last - store_.end() <= kMostNew;
      }
      is_heard = is_heard && store_.fill(window, plan, numbers);
    }
    if (!is_heard) {
      throw py::value_error("samples are NaN, infinite or beyond 2^50, or a frame is not kept any more");
    }
  }

  std::int64_t computed() const {
    const std::lock_guard lock(mutex_);
    return store_.computed();
  }

 private:
  mutable std::mutex mutex_;
  live::MelStore store_;
};

}  // namespace

void bind_mel_store(py::module_& module) {
  const auto heap_type = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
  py::class_<live::MelPlan>(module, "MelPlan", py::is_final(), heap_type,
                            R"(Which frames of a window's clip are the signal's, and which the window's own.

first: the window's frame with which the clip begins; count: of its frames; shared, own: (begin, end) of them.)")
      .def(py::init(&plan_of), py::arg("first"), py::arg("count"), py::arg("shared"), py::arg("own"));
  py::class_<MelStore>(module, "MelStore", py::is_final(), heap_type,
                       R"(Log-mel frames of a signal, each computed once.

Frame f begins phase + 160 f samples of 16 kHz after an origin. orig, target: rates; numbers are
(log + add) * times.)")
      .def(py::init<std::int64_t, std::int64_t, std::int64_t, float, float>(), py::arg("orig"),
           py::arg("target"), py::arg("phase"), py::arg("add"), py::arg("times"))
      .def("start_at", &MelStore::start_at, py::arg("frame"),
           "Frames before this one will not be asked for again.")
      .def("fill", &MelStore::fill, py::arg("out"), py::arg("signal"), py::arg("begin"), py::arg("part"),
           py::arg("frame"), py::arg("plan"), py::arg("steps") = Steps{},
           R"(Write a window's clip, [128, 204].

signal: all that is kept of it, [channels, N], from sample `begin` after the origin on; part: (start, stop) of
the window, counted so too; frame: the number of its first frame; steps: as mel_steps gives them.)")
      .def_property_readonly("computed", &MelStore::computed, "Frames that were computed, windows' own too.");
}

}  // namespace bindrt
