// Lets Python read PNG files straight into the image op, and grey ones as they are.
#include <cstdint>
#include <string>
#include <string_view>

#include "csrc/png/file.h"
#include "csrc/png/picture.h"
#include "csrc/prepare/libraries.h"
#include "csrc/python/arguments/arrays.h"
#include "csrc/python/bindings.h"
#include "csrc/python/decoders/input.h"
#include "csrc/python/gil.h"

namespace py = pybind11;

namespace bindrt {
namespace {

// libdeflate as a loaded module has it, for reading pictures.
class PngReader {
 public:
  explicit PngReader(const std::string& module_path) {
    if (!library_.find(module_path.c_str())) {
      throw py::value_error("'" + module_path + "' is not loaded, or has no libdeflate");
    }
  }

  void serve() const { prepare::use(library_); }

  py::object input(const py::bytes& data, std::int64_t max_pixels, bool half, const py::object& given) const {
    return decoded_input(library_, &png::read_input, data, max_pixels, half, given);
  }

  py::object grey(const py::bytes& data, std::int64_t max_pixels) const {
    const auto text = static_cast<std::string_view>(data);
    png::File file{};
    if (!png::read_file(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), file) ||
        std::int64_t{file.width} * file.height > max_pixels) {
      return py::none();
    }
    const auto dtype = file.bits == 16 ? py::dtype::of<std::uint16_t>() : py::dtype::of<std::uint8_t>();
    py::array out(dtype, {py::ssize_t{file.height}, py::ssize_t{file.width}});
    void* const result = out.mutable_data();
    bool good = false;
    {
      const WithoutGil release;
      good = png::read_grey(library_, file, result);
    }
    return good ? py::object(out) : py::none();
  }

 private:
  png::Library library_{};
};

}  // namespace

void bind_png(py::module_& module) {
  py::class_<PngReader>(module, "PngReader", py::is_final(),
                        py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                        R"(Reads PNGs with the libdeflate of a loaded module.)")
      .def(py::init<const std::string&>(), py::arg("module_path"),
           "module_path: an extension module's file. Raises ValueError if libdeflate is not found there.")
      .def("serve", &PngReader::serve,
           "From now on files are prepared without the interpreter by this library; the first one stays.")
      .def("input", &PngReader::input, py::arg("data"), py::arg("max_pixels"), py::arg("half") = false,
           py::arg("out") = py::none(),
           R"(A file's bytes as the vision encoder's input, as image_input of its pixels.

Returns [3, 224, 224], or None if the file is larger, unusual or damaged: another decoder may know better.)")
      .def("grey", &PngReader::grey, py::arg("data"), py::arg("max_pixels"),
           R"(The values of a file that is grey, without its alpha.

Returns uint8 [height, width], or uint16 where a sample has 16 bits. None if the file is not grey, larger,
unusual or damaged, or has 16 bits and alpha.)");
}

}  // namespace bindrt
