// Lets Python hand over FFmpeg, what it found out about it, and the videos that it decodes itself.
#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "csrc/python/bindings.h"
#include "csrc/python/decoders/picture.h"
#include "csrc/video/library.h"
#include "csrc/video/running.h"

namespace py = pybind11;

namespace bindrt {
namespace {

// While it lives, a video runs that Python decodes.
class RunningVideo {
 public:
  void begin() { running_.emplace(); }
  void end() { running_.reset(); }

 private:
  std::optional<video::Running> running_;
};

void keep_conversion(const std::string& name, int width, int height, int colorspace, int color_range,
                     int color_trc, int color_primaries, const std::string& layout,
                     const std::string& standard, bool full) {
  video::keep_conversion({name, width, height, colorspace, color_range, color_trc, color_primaries},
                         {layout_of(layout), standard_of(standard), full});
}

}  // namespace

void bind_film(py::module_& module) {
  module.def(
      "use_ffmpeg", [](const std::string& path) { return video::use_ffmpeg(path.c_str()); }, py::arg("path"),
      R"(From now on ordinary videos are read by the FFmpeg of this loaded module.

False if it has none, or one of a version whose structures are not known.)");
  module.def("keep_conversion", &keep_conversion, py::arg("name"), py::arg("width"), py::arg("height"),
             py::arg("colorspace"), py::arg("color_range"), py::arg("color_trc"), py::arg("color_primaries"),
             py::arg("layout"), py::arg("standard"), py::arg("full"),
             R"(Frames of this format are converted as a Picture of this layout, standard and range.

width, height: of all sizes that FFmpeg converts by the same code, the one that stands for them.)");
  module.def("conversion_size", &video::FrameFormat::of_size, py::arg("size"),
             "The width or height that stands for all that FFmpeg converts by the same code.");
  py::class_<RunningVideo>(module, "RunningVideo", py::is_final(),
                           py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                           "Within `with`, this process decodes one video more.")
      .def(py::init<>())
      .def("__enter__", &RunningVideo::begin)
      .def("__exit__", [](RunningVideo& self, const py::args&) { self.end(); });
  module.def("decoder_threads", &video::decoder_threads, py::arg("usable"),
             "Threads for a decoder that begins now and counts as running, of so many that are usable.");
}

}  // namespace bindrt
