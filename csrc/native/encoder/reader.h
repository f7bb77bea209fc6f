// Tensors by name, checked as they are read.
#pragma once

#include <string>
#include <vector>

#include "csrc/native/encoder.h"

namespace bindrt::native {

// What stands for any size in an expected shape.
inline constexpr std::int64_t kAny = -1;

class Reader {
 public:
  explicit Reader(const Tensors& tensors) : tensors_(tensors) {}

  // A tensor of floats under its name, or under its name in half precision; null if there is none.
  const Tensor* find(const std::string& name) const;
  // The same, which must be there.
  const Tensor& floats(const std::string& name, const std::vector<std::int64_t>& shape) const;
  // Its numbers as float32; empty if it need not be there and is not.
  std::vector<float> numbers(const std::string& name, const std::vector<std::int64_t>& shape) const;
  std::vector<float> optional(const std::string& name, const std::vector<std::int64_t>& shape) const;
  // The tensor of exactly this name, of any type; null if there is none.
  const Tensor* exactly(const std::string& name) const;

 private:
  const Tensors& tensors_;
};

// Throws std::invalid_argument naming the tensor.
void require_shape(const std::string& name, const Tensor& tensor, const std::vector<std::int64_t>& shape);

std::vector<float> to_floats(const Tensor& tensor);

}  // namespace bindrt::native
