// Lets Python write vectors as JSON.
#include "csrc/text/json_numbers.h"

#include <pybind11/numpy.h>

#include <string>
#include <vector>

#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using Rows = py::array_t<float, py::array::c_style>;

// Fewer numbers are written sooner than another thread gives the interpreter back.
constexpr py::ssize_t kMany = 1 << 14;

std::vector<std::string> written(const float* numbers, py::ssize_t rows, py::ssize_t columns) {
  std::vector<std::string> texts(static_cast<std::size_t>(rows));
  for (std::string& text : texts) {
    text.reserve(static_cast<std::size_t>(columns) * 12 + 2);
    text::append_json({numbers, static_cast<std::size_t>(columns)}, text);
    numbers += columns;
  }
  return texts;
}

// Each row as bytes.
py::list json_rows(const Rows& rows) {
  if (rows.ndim() != 2) {
    throw py::value_error("rows are [N, D]");
  }
  const auto write = [&rows] { return written(rows.data(), rows.shape(0), rows.shape(1)); };
  std::vector<std::string> texts;
  if (rows.size() < kMany) {
    texts = write();
  } else {
    const WithoutGil release;
    texts = write();
  }
  py::list found;
  for (const std::string& text : texts) {
    found.append(py::bytes(text));
  }
  return found;
}

}  // namespace

void bind_json_numbers(py::module_& module) {
  module.def("json_rows", &json_rows, py::arg("rows"),
             "Rows of numbers, each as a JSON array; see csrc/text/json_numbers.h.");
}

}  // namespace bindrt
