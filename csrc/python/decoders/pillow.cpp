// The bytes of a Pillow image, without a copy, through the Arrow C data interface that it offers.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "csrc/python/bindings.h"

namespace py = pybind11;

namespace bindrt {
namespace {

// The public ABI of the Arrow C data interface.
struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;
  std::int64_t n_buffers;
  std::int64_t n_children;
  const void** buffers;
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};

// The numbers of a primitive array of `length` bytes, or null.
const std::uint8_t* bytes_of(const ArrowArray& array, std::int64_t length) {
  const bool fits = array.release != nullptr && array.length == length && array.offset == 0 &&
                    array.n_buffers == 2 && array.n_children == 0;
  return fits ? static_cast<const std::uint8_t*>(array.buffers[1]) : nullptr;
}

py::array arrow_pixels(const py::capsule& capsule, py::ssize_t height, py::ssize_t width) {
  if (capsule.name() == nullptr || std::string(capsule.name()) != "arrow_array") {
    throw py::value_error("the capsule holds no Arrow array");
  }
  constexpr py::ssize_t kMost = INT32_MAX;
  if (height < 1 || height > kMost || width < 1 || width > kMost) {
    throw py::value_error("height and width are 1 to 2147483647");
  }
  const ArrowArray& array = *capsule.get_pointer<ArrowArray>();
  const std::int64_t pixels = std::int64_t{height} * width;
  const bool nested = array.release != nullptr && array.n_children == 1 && array.length == pixels &&
                      array.offset == 0 && pixels < INT64_MAX / 4;
  const std::uint8_t* const data =
      nested ? bytes_of(*array.children[0], 4 * pixels) : bytes_of(array, pixels);
  if (data == nullptr) {
    throw py::value_error("the Arrow array does not hold this many pixels of one or four bytes");
  }
  const auto shape =
      nested ? std::vector<py::ssize_t>{height, width, 4} : std::vector<py::ssize_t>{height, width};
  py::array out(py::dtype::of<std::uint8_t>(), shape, data, capsule);
  py::detail::array_proxy(out.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return out;
}

}  // namespace

void bind_pillow(py::module_& module) {
  module.def("arrow_pixels", &arrow_pixels, py::arg("capsule"), py::arg("height"), py::arg("width"),
             R"(The pixels that an Arrow array holds, as Pillow exports images of one or four bytes a pixel.

Returns a read-only uint8 view [height, width] or [height, width, 4] that keeps the capsule alive.
Raises ValueError if the capsule's array is of another size. The type of its numbers is not checked.)");
}

}  // namespace bindrt
