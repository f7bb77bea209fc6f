// Checks of the views, counts and weights that are pooled.
#include "csrc/python/arguments/pool.h"

#include <cmath>
#include <string>
#include <utility>

#include "csrc/python/arguments/arrays.h"

namespace py = pybind11;

namespace bindrt {
namespace {

std::string at(const char* name, std::size_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

// The counts, from an array or a sequence of whole numbers.
std::vector<std::int64_t> read_counts(const py::object& object) {
  const py::array given = py::array::ensure(object);
  if (!given) {
    PyErr_Clear();
    throw py::value_error("counts must be a sequence of whole numbers, one an item");
  }
  if (given.ndim() != 1) {
    throw py::value_error("counts has shape " + shape_text(given) + "; it must have 1 dimension");
  }
  const char kind = given.dtype().kind();
  if (given.size() > 0 && kind != 'i' && kind != 'u') {  // an empty list comes as float64
    throw py::value_error("counts has dtype " + dtype_text(given) + "; it must hold whole numbers");
  }
  const auto counts = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(given);
  return {counts.data(), counts.data() + counts.size()};
}

void check_counts(const std::vector<std::int64_t>& counts, std::int64_t rows) {
  std::int64_t left = rows;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 1) {
      throw py::value_error(at("counts", i) + " is " + std::to_string(counts[i]) +
                            "; every item has at least one view");
    }
    if (counts[i] > left) {  // compared, not summed: a sum of hostile counts may overflow
      throw py::value_error("counts ask for more than the " + std::to_string(rows) + " rows of views");
    }
    left -= counts[i];
  }
  if (left != 0) {
    throw py::value_error("counts sum to " + std::to_string(rows - left) + " but views has " +
                          std::to_string(rows) + " rows");
  }
}

void check_weights(const py::array& weights, const std::vector<std::int64_t>& counts, std::int64_t rows) {
  if (weights.shape(0) != rows) {
    throw py::value_error("weights has " + std::to_string(weights.shape(0)) + " values but views has " +
                          std::to_string(rows) + " rows");
  }
  const auto* const values = static_cast<const float*>(weights.data());
  std::size_t row = 0;
  for (std::size_t item = 0; item < counts.size(); ++item) {
    double total = 0.0;
    for (std::int64_t view = 0; view < counts[item]; ++view, ++row) {
      if (!std::isfinite(values[row]) || values[row] < 0.0F) {
        throw py::value_error(at("weights", row) + " is " + std::to_string(values[row]) +
                              "; weights are finite and not negative");
      }
      total += static_cast<double>(values[row]);
    }
    if (total == 0.0) {
      throw py::value_error("the weights of item " + std::to_string(item) +
                            " sum to 0; one must be positive");
    }
  }
}

}  // namespace

kernels::PoolInput PoolArguments::input() const {
  return {static_cast<const float*>(views.data()),
          weights ? static_cast<const float*>(weights->data()) : nullptr, counts.data(),
          static_cast<std::int64_t>(counts.size()), views.shape(1)};
}

PoolArguments read_pool_arguments(const py::object& views_object, const py::object& counts_object,
                                  const py::object& weights_object, double scale) {
  if (!std::isfinite(scale)) {
    throw py::value_error("scale is " + std::to_string(scale) + "; it must be finite");
  }
  PoolArguments read{require_float32(views_object, "views", 2), read_counts(counts_object), std::nullopt};
  check_counts(read.counts, read.views.shape(0));
  if (!weights_object.is_none()) {
    read.weights = require_float32(weights_object, "weights", 1);
    check_weights(*read.weights, read.counts, read.views.shape(0));
  }
  return read;
}

}  // namespace bindrt
