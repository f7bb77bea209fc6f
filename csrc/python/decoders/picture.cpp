// Checks decoders' frames and arrays that Python makes pictures of.
#include "csrc/python/decoders/picture.h"

#include <pybind11/numpy.h>

#include <array>
#include <limits>
#include <utility>

#include "csrc/python/arguments/arrays.h"

namespace py = pybind11;

namespace bindrt {
namespace {

constexpr std::int64_t kMostPixels = std::numeric_limits<std::int32_t>::max();

using kernels::PixelFormat;
using kernels::YuvStandard;

constexpr std::pair<const char*, YuvStandard> kStandards[] = {{"bt601", YuvStandard::kBt601},
                                                              {"bt709", YuvStandard::kBt709},
                                                              {"smpte240m", YuvStandard::kSmpte240m},
                                                              {"bt2020", YuvStandard::kBt2020}};

void check_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMostPixels / height) {
    throw py::value_error("a picture cannot be " + std::to_string(width) + " x " + std::to_string(height));
  }
}

// A plane's first byte, after checking that all of its rows lie inside the buffer.
const std::uint8_t* plane(const py::buffer_info& buffer, std::size_t index, std::int64_t stride,
                          std::int64_t row_bytes, std::int64_t rows) {
  const std::string name = "plane " + std::to_string(index);
  if (buffer.ndim != 1 || buffer.itemsize != 1 || (buffer.size > 1 && buffer.strides[0] != 1)) {
    throw py::value_error(name + " is not a plain run of bytes");
  }
  if (stride < row_bytes) {
    throw py::value_error(name + " has a line size of " + std::to_string(stride) + "; its rows have " +
                          std::to_string(row_bytes) + " bytes");
  }
  const std::int64_t left = buffer.size - row_bytes;  // before the last row; divided, not multiplied
  if (left < 0 || left / stride < rows - 1) {
    throw py::value_error(name + " has " + std::to_string(buffer.size) + " bytes; " + std::to_string(rows) +
                          " rows need more");
  }
  return static_cast<const std::uint8_t*>(buffer.ptr);
}

}  // namespace

PixelFormat layout_of(const std::string& name) {
  if (name != "nv12" && name != "yuv420p") {
    throw py::value_error("format is '" + name + "'; it is yuv420p or nv12");
  }
  return name == "nv12" ? PixelFormat::kNv12 : PixelFormat::kYuv420p;
}

YuvStandard standard_of(const std::string& name) {
  for (const auto& [known, standard] : kStandards) {
    if (name == known) {
      return standard;
    }
  }
  throw py::value_error("standard is '" + name + "'; it is bt601, bt709, smpte240m or bt2020");
}

PictureBuffer PictureBuffer::of_rgb(const py::object& object) {
  if (!py::isinstance<py::array>(object)) {
    throw py::value_error(std::string("a picture is a NumPy uint8 array [H, W, 3], not a ") +
                          Py_TYPE(object.ptr())->tp_name);
  }
  const py::array array = py::reinterpret_borrow<py::array>(object);
  if (!array.dtype().equal(py::dtype::of<std::uint8_t>()) || array.ndim() != 3 || array.shape(2) != 3) {
    throw py::value_error("a picture is uint8 [H, W, 3], not " + dtype_text(array) + " " + shape_text(array));
  }
  check_size(array.shape(1), array.shape(0));
  if (array.strides(2) != 1 || (array.shape(1) > 1 && array.strides(1) != 3)) {
    throw py::value_error("the pixels of a row are not adjacent; pass numpy.ascontiguousarray(picture)");
  }
  PictureBuffer made;
  made.picture_.format = PixelFormat::kRgb24;
  made.picture_.width = static_cast<std::int32_t>(array.shape(1));
  made.picture_.height = static_cast<std::int32_t>(array.shape(0));
  made.picture_.planes[0] = static_cast<const std::uint8_t*>(array.data());
  made.picture_.strides[0] = array.strides(0);
  made.held_.push_back(py::reinterpret_borrow<py::buffer>(object).request());
  return made;
}

PictureBuffer PictureBuffer::of_planes(const std::string& format, std::int64_t width, std::int64_t height,
                                       const py::sequence& planes,
                                       const std::vector<std::int64_t>& line_sizes,
                                       const std::string& standard, bool full_range) {
  const PixelFormat layout = layout_of(format);
  const bool interleaved = layout == PixelFormat::kNv12;
  check_size(width, height);
  const std::size_t count = interleaved ? 2 : 3;
  if (planes.size() != count || line_sizes.size() != count) {
    throw py::value_error(format + " has " + std::to_string(count) + " planes; there are " +
                          std::to_string(planes.size()) + " with " + std::to_string(line_sizes.size()) +
                          " line sizes");
  }
  PictureBuffer made;
  kernels::DecodedPicture& picture = made.picture_;
  picture.format = layout;
  picture.width = static_cast<std::int32_t>(width);
  picture.height = static_cast<std::int32_t>(height);
  picture.matrix = kernels::yuv_matrix(standard_of(standard), full_range);
  const std::int64_t chroma_row = std::int64_t{kernels::chroma_size(picture.width)} * (interleaved ? 2 : 1);
  const std::array<std::int64_t, 3> row_bytes{width, chroma_row, chroma_row};
  const std::int64_t chroma_rows = kernels::chroma_size(picture.height);
  for (std::size_t i = 0; i < count; ++i) {
    if (!py::isinstance<py::buffer>(planes[i])) {
      throw py::value_error("plane " + std::to_string(i) + " has no buffer");
    }
    made.held_.push_back(py::reinterpret_borrow<py::buffer>(planes[i]).request());
    picture.planes[i] =
        plane(made.held_.back(), i, line_sizes[i], row_bytes[i], i == 0 ? height : chroma_rows);
    picture.strides[i] = line_sizes[i];
  }
  return made;
}

// One that was made without its __init__ holds nothing, not even null.
const kernels::DecodedPicture& picture_in(const py::object& object) {
  if (!py::isinstance<PictureBuffer>(object)) {
    throw py::type_error(std::string("this is a ") + Py_TYPE(object.ptr())->tp_name + ", not a Picture");
  }
  auto* const instance = reinterpret_cast<py::detail::instance*>(object.ptr());
  if (!instance->get_value_and_holder().holder_constructed()) {
    throw py::type_error("this Picture was never initialised");
  }
  return object.cast<const PictureBuffer&>().picture();
}

}  // namespace bindrt
