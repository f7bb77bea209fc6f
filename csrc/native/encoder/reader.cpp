// Looks tensors up and says what is wrong with them.
#include "csrc/native/encoder/reader.h"

#include <stdexcept>

namespace bindrt::native {
namespace {

std::string text(const std::vector<std::int64_t>& shape) {
  std::string result = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    result += (i > 0 ? ", " : "") + (shape[i] == kAny ? std::string("any") : std::to_string(shape[i]));
  }
  return result + "]";
}

bool fits(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& expected) {
  if (shape.size() != expected.size()) {
    return false;
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 1 || (expected[i] != kAny && expected[i] != shape[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

void require_shape(const std::string& name, const Tensor& tensor, const std::vector<std::int64_t>& shape) {
  if (!fits(tensor.shape, shape)) {
    throw std::invalid_argument(name + ": has shape " + text(tensor.shape) + ", not " + text(shape));
  }
}

const Tensor* Reader::exactly(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

const Tensor* Reader::find(const std::string& name) const {
  const Tensor* const tensor = exactly(name);
  return tensor != nullptr ? tensor : exactly(name + ".half");
}

const Tensor& Reader::floats(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const Tensor* const tensor = find(name);
  if (tensor == nullptr) {
    throw std::invalid_argument(name + ": missing");
  }
  if (tensor->stored == Stored::kInt8) {
    throw std::invalid_argument(name + ": has 8-bit integers, not floats");
  }
  require_shape(name, *tensor, shape);
  return *tensor;
}

std::vector<float> Reader::numbers(const std::string& name, const std::vector<std::int64_t>& shape) const {
  return to_floats(floats(name, shape));
}

std::vector<float> Reader::optional(const std::string& name, const std::vector<std::int64_t>& shape) const {
  return find(name) == nullptr ? std::vector<float>() : numbers(name, shape);
}

std::vector<float> to_floats(const Tensor& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t size : tensor.shape) {
    count *= size;
  }
  std::vector<float> result(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    result[static_cast<std::size_t>(i)] = stored_number(tensor.stored, tensor.data, i);
  }
  return result;
}

}  // namespace bindrt::native
