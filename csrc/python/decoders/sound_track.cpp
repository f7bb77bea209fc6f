// Lets Python read a sound track without its lock.
#include "csrc/video/sound_track.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/video/library.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using Next = video::SoundTrack::Next;

// A track of a file that is open.
class OrdinaryTrack {
 public:
  static std::unique_ptr<OrdinaryTrack> open(const std::string& path, int stream, int rate,
                                             std::int64_t max_packets) {
    const video::Ffmpeg* const library = video::ffmpeg();
    if (library == nullptr) {
      return nullptr;
    }
    const WithoutGil release;
    std::optional<audio::Input> input = audio::Input::open(path);
    if (!input) {
      return nullptr;
    }
    std::unique_ptr<OrdinaryTrack> made(new OrdinaryTrack(std::move(*input)));
    made->track_ = video::SoundTrack::open(*library, made->input_, stream, rate, max_packets);
    return made->track_ == nullptr ? nullptr : std::move(made);
  }

  py::array_t<float> read(std::int64_t least) {
    if (next_ == Next::kMore) {
      const WithoutGil release;
      next_ = track_->read(least);
    } else {
      throw py::value_error("the track has been read to its end");
    }
    const auto& channels = track_->channels();
    py::array_t<float> made({static_cast<py::ssize_t>(channels.size()), track_->samples()});
    float* to = made.mutable_data();
    const WithoutGil release;
    for (const std::vector<float>& channel : channels) {
      to = std::copy(channel.begin(), channel.end(), to);
    }
    return made;
  }

  bool has_more() const noexcept { return next_ == Next::kMore; }
  bool is_whole() const noexcept { return next_ == Next::kEnd; }

 private:
  explicit OrdinaryTrack(audio::Input input) : input_(std::move(input)) {}

  audio::Input input_;
  std::unique_ptr<video::SoundTrack> track_;
  Next next_ = Next::kMore;
};

}  // namespace

void bind_sound_track(py::module_& module) {
  py::class_<OrdinaryTrack>(
      module, "OrdinaryTrack", py::is_final(), py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
      "The sound track of an ordinary MP4 or MOV, read in order by one thread at a time.")
      .def_static("open", &OrdinaryTrack::open, py::arg("path"), py::arg("stream"), py::arg("rate"),
                  py::arg("max_packets"),
                  R"(The stream with this number; None for another container, or without use_ffmpeg.

rate: its samples per second.)")
      .def("read", &OrdinaryTrack::read, py::arg("least"),
           R"(Float32 [channels, n]: the next `least` samples or a little more; fewer where has_more ends.

ValueError once there is no more.)")
      .def_property_readonly("has_more", &OrdinaryTrack::has_more)
      .def_property_readonly("is_whole", &OrdinaryTrack::is_whole,
                             R"(Whether it was read to its end.

If neither this nor has_more holds, something unusual follows: damage, or another rate or layout.)");
}

}  // namespace bindrt
