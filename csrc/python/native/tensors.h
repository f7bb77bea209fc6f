// Tensors of a bundle that Python describes: in mapped files, or a few bytes of the graph.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <vector>

#include "csrc/native/encoder.h"
#include "csrc/native/mapped_file.h"

namespace bindrt {

class BundleTensors {
 public:
  // `files`: their paths. `described`: (name, type, shape, file, offset) or (name, type, shape, None, bytes);
  // type is float32, float16, bfloat16 or int8. ValueError where a tensor does not lie in its file.
  BundleTensors(const std::vector<std::string>& files, const pybind11::list& described);

  const native::Tensors& tensors() const { return tensors_; }
  void release() const;

 private:
  struct Line {
    alignas(64) std::uint8_t bytes[64];
  };

  const void* in_file(const std::string& name, std::size_t file, std::int64_t offset,
                      std::int64_t bytes) const;
  const void* copy(const std::string& name, const std::string& content, std::int64_t bytes);

  std::vector<std::unique_ptr<native::MappedFile>> files_;
  std::vector<std::unique_ptr<Line[]>> copies_;
  native::Tensors tensors_;
};

}  // namespace bindrt
