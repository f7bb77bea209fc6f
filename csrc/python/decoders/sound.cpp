// Lets Python hand over the libraries that decode sound, once it has loaded them.
#include <string>

#include "csrc/audio/library.h"
#include "csrc/python/bindings.h"

namespace py = pybind11;

namespace bindrt {

void bind_sound(py::module_& module) {
  module.def(
      "use_libsndfile", [](const std::string& path) { return audio::use_libsndfile(path.c_str()); },
      py::arg("path"),
      "From now on ordinary WAV, FLAC and OGG files are read by this loaded library; False if it cannot be "
      "used.");
  module.def(
      "use_libavcodec", [](const std::string& path) { return audio::use_libavcodec(path.c_str()); },
      py::arg("path"),
      R"(From now on ordinary MP3 files are read by the libavcodec of this loaded module.

False if it has none, or one of a version whose structures are not known.)");
}

}  // namespace bindrt
