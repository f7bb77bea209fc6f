// Lets Python read JPEG files straight into the image op.
#include <cstdint>
#include <string>

#include "csrc/jpeg/rows.h"
#include "csrc/prepare/libraries.h"
#include "csrc/python/bindings.h"
#include "csrc/python/decoders/input.h"

namespace py = pybind11;

namespace bindrt {
namespace {

// libjpeg-turbo as a loaded module has it, for reading pictures.
class JpegReader {
 public:
  explicit JpegReader(const std::string& module_path) {
    if (!library_.find(module_path.c_str())) {
      throw py::value_error("'" + module_path + "' is not loaded, or has no libjpeg-turbo");
    }
  }

  void serve() const { prepare::use(library_); }

  py::object input(const py::bytes& data, std::int64_t max_pixels, bool half, const py::object& given) const {
    return decoded_input(library_, &jpeg::read_input, data, max_pixels, half, given);
  }

 private:
  jpeg::Library library_{};
};

}  // namespace

void bind_jpeg(py::module_& module) {
  py::class_<JpegReader>(module, "JpegReader", py::is_final(),
                         py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                         R"(Reads JPEGs with the libjpeg-turbo that a loaded module uses.)")
      .def(py::init<const std::string&>(), py::arg("module_path"),
           "module_path: an extension module's file. Raises ValueError if libjpeg-turbo is not found there.")
      .def("serve", &JpegReader::serve,
           "From now on files are prepared without the interpreter by this library; the first one stays.")
      .def("input", &JpegReader::input, py::arg("data"), py::arg("max_pixels"), py::arg("half") = false,
           py::arg("out") = py::none(),
           R"(A file's bytes as the vision encoder's input, as image_input of its pixels.

Returns [3, 224, 224], or None if the file is larger, unusual or damaged: another decoder may know better.)");
}

}  // namespace bindrt
