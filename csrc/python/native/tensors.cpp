// Checks where tensors lie before anything reads them.
#include "csrc/python/native/tensors.h"

#include <pybind11/stl.h>

#include <cstring>
#include <limits>

namespace py = pybind11;

namespace bindrt {
namespace {

using native::Stored;

Stored stored_of(const std::string& name, const std::string& type) {
  constexpr std::pair<const char*, Stored> kTypes[] = {{"float32", Stored::kFloat32},
                                                       {"float16", Stored::kFloat16},
                                                       {"bfloat16", Stored::kBf16},
                                                       {"int8", Stored::kInt8}};
  for (const auto& [text, stored] : kTypes) {
    if (type == text) {
      return stored;
    }
  }
  throw py::value_error(name + ": the type " + type + " is not known");
}

constexpr std::int64_t width_of(Stored stored) {
  return stored == Stored::kFloat32 ? 4 : stored == Stored::kInt8 ? 1 : 2;
}

std::int64_t bytes_of(const std::string& name, Stored stored, const std::vector<std::int64_t>& shape) {
  std::int64_t bytes = width_of(stored);
  for (const std::int64_t size : shape) {
    if (size < 1 || bytes > std::numeric_limits<std::int64_t>::max() / size) {
      throw py::value_error(name + ": its shape is out of range");
    }
    bytes *= size;
  }
  return bytes;
}

}  // namespace

BundleTensors::BundleTensors(const std::vector<std::string>& files, const py::list& described) {
  for (const std::string& path : files) {
    files_.push_back(std::make_unique<native::MappedFile>(path));
  }
  for (const py::handle entry : described) {
    const auto [name, type, shape, file, place] =
        entry.cast<std::tuple<std::string, std::string, std::vector<std::int64_t>, py::object, py::object>>();
    native::Tensor tensor;
    tensor.stored = stored_of(name, type);
    tensor.shape = shape;
    const std::int64_t bytes = bytes_of(name, tensor.stored, shape);
    tensor.data = file.is_none() ? copy(name, place.cast<std::string>(), bytes)
                                 : in_file(name, file.cast<std::size_t>(), place.cast<std::int64_t>(), bytes);
    if (!tensors_.emplace(name, tensor).second) {
      throw py::value_error(name + ": is there twice");
    }
  }
}

const void* BundleTensors::in_file(const std::string& name, std::size_t file, std::int64_t offset,
                                   std::int64_t bytes) const {
  if (file >= files_.size() || offset < 0 || offset > files_[file]->size() ||
      bytes > files_[file]->size() - offset) {
    throw py::value_error(name + ": does not lie in its file");
  }
  if (offset % 64 != 0) {
    throw py::value_error(name + ": does not begin at a multiple of 64 bytes");
  }
  return files_[file]->data() + offset;
}

const void* BundleTensors::copy(const std::string& name, const std::string& content, std::int64_t bytes) {
  if (static_cast<std::int64_t>(content.size()) != bytes) {
    throw py::value_error(name + ": has " + std::to_string(content.size()) + " bytes, not " +
                          std::to_string(bytes));
  }
  copies_.push_back(std::make_unique<Line[]>((content.size() + 63) / 64));
  std::memcpy(copies_.back().get(), content.data(), content.size());
  return copies_.back().get();
}

void BundleTensors::release() const {
  for (const auto& file : files_) {
    file->release();
  }
}

}  // namespace bindrt
