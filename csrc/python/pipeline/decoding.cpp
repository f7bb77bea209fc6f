// Calls the function that decodes pictures, under the GIL.
#include "csrc/python/pipeline/decoding.h"

#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "csrc/python/gil.h"
#include "csrc/python/pipeline/calls.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using gpu::DevicePicture;
using kernels::EncodedPicture;
using kernels::PictureCoding;

constexpr std::pair<std::string_view, PictureCoding> kCodings[] = {
    {"jpeg", PictureCoding::kJpeg},
    {"jpeg2000", PictureCoding::kJpeg2000},
    {"tiff-lzw", PictureCoding::kTiffLzw},
    {"tiff-deflate", PictureCoding::kTiffDeflate}};
static_assert(std::size(kCodings) == kernels::kPictureCodings);

PictureCoding coding_of(const std::string& name) {
  for (const auto& [known, coding] : kCodings) {
    if (name == known) {
      return coding;
    }
  }
  throw py::value_error("a coding is named '" + name + "'");
}

void read_pictures(const py::list& found, std::span<DevicePicture> out) {
  if (found.size() != out.size()) {
    throw std::runtime_error("a picture or None is expected for each file");
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!found[i].is_none()) {
      const auto picture = py::cast<py::tuple>(found[i]);
      out[i] = {py::cast<gpu::cu::Pointer>(picture[0]), py::cast<std::int64_t>(picture[1])};
    }
  }
}

}  // namespace

gpu::DecodePictures decode_pictures(py::object decode) {
  if (decode.is_none()) {
    return nullptr;
  }
  return [function = held_object(std::move(decode))](
             std::span<const EncodedPicture> files, gpu::cu::Stream stream,
             std::span<DevicePicture> out) -> std::shared_ptr<const void> {
    const WithGil gil;
    try {
      py::list contents;
      py::list sizes;
      for (const EncodedPicture& file : files) {
        contents.append(py::memoryview::from_memory(file.data, static_cast<py::ssize_t>(file.size)));
        sizes.append(py::make_tuple(file.width, file.height));
      }
      py::object found;
      or_sleep([&] { found = (*function)(contents, sizes, reinterpret_cast<std::uintptr_t>(stream)); });
      read_pictures(py::cast<py::list>(found), out);
      return held_object(std::move(found));
    } catch (py::error_already_set& error) {  // freed here, under the GIL
      throw std::runtime_error(error.what());
    }
  };
}

gpu::DecodeFrom decode_from(const py::dict& given) {
  gpu::DecodeFrom found;
  for (const auto& [name, pixels] : given) {
    const auto least = py::cast<std::int64_t>(pixels);
    if (least < 0) {
      throw py::value_error("pixels are not negative");
    }
    found.of(coding_of(py::cast<std::string>(name))) = least;
  }
  return found;
}

}  // namespace bindrt
