// Reading a lane's description, and checking arrays against it.

#include "csrc/python/pipeline/lanes.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>

namespace py = pybind11;

namespace bindrt {

using pipeline::LaneOptions;
using pipeline::Ready;

namespace {

// The length of the longest row, up to its end token.
std::int64_t tokens_length(const std::int64_t* ids, std::int64_t rows, const LaneArrays& expected) {
  std::int64_t longest = 0;
  for (std::int64_t row = 0; row < rows; ++row, ids += expected.view.back()) {
    std::int64_t end = -1;
    for (std::int64_t i = 0; i < expected.view.back(); ++i) {
      if (ids[i] < 0 || ids[i] >= expected.tokens) {
        throw py::value_error("a token is outside the vocabulary");
      }
      if (end < 0 && ids[i] == expected.tokens - 1) {
        end = i;
      }
    }
    if (end < 0) {
      throw py::value_error("the end token is missing");
    }
    longest = std::max(longest, end + 1);
  }
  return longest;
}

LanePreparer lane_preparer(const py::object& ordinary) {
  if (ordinary.is_none()) {
    return {};
  }
  return {ordinary["preparer"].cast<std::shared_ptr<OrdinaryPreparer>>(), read_limits(ordinary["limits"]),
          ordinary["files"].cast<bool>()};
}

LaneTexts lane_texts(const py::object& texts) {
  if (texts.is_none()) {
    return {};
  }
  const auto [tokenizer, words] =
      texts.cast<std::pair<std::shared_ptr<text::Tokenizer>, std::shared_ptr<text::Words>>>();
  return {tokenizer, words};
}

}  // namespace

std::optional<LaneTexts::Read> LaneTexts::read(std::string_view text, std::size_t length) const {
  std::vector<std::int64_t> ids(length);
  const std::size_t used = tokenizer->encode(text, ids);
  if (used == 0) {
    return std::nullopt;
  }
  Read found{nullptr, static_cast<std::int64_t>(used),
             words == nullptr ? std::string() : words->unknown(std::span(ids).first(used))};
  found.ids = std::make_shared<const std::vector<std::int64_t>>(std::move(ids));
  return found;
}

std::int64_t LaneArrays::view_numbers() const {
  return std::accumulate(view.begin(), view.end(), std::int64_t{1}, std::multiplies<>());
}

LaneArrays lane_arrays(const py::handle& lane) {
  LaneArrays arrays{py::dtype::from_args(lane["dtype"]),
                    lane["view"].cast<std::vector<py::ssize_t>>(),
                    lane["tokens"].cast<std::int64_t>(),
                    lane["dim"].cast<py::ssize_t>(),
                    {},
                    {}};
  if (lane.contains("ordinary") && arrays.dtype.equal(py::dtype::of<float>())) {
    arrays.ordinary = lane_preparer(lane["ordinary"]);
  }
  if (lane.contains("texts")) {
    arrays.texts = lane_texts(lane["texts"]);
  }
  return arrays;
}

LaneOptions lane_options(const py::handle& lane, const LaneArrays& arrays) {
  LaneOptions options;
  options.name = lane["name"].cast<std::string>();
  options.dim = arrays.dim;
  options.max_batch = lane["max_batch"].cast<std::int64_t>();
  options.item_rows = lane["item_rows"].cast<std::int64_t>();
  options.queue = lane["queue"].cast<std::size_t>();
  options.in_flight = lane["in_flight"].cast<std::int64_t>();
  options.max_wait = std::chrono::microseconds(lane["max_wait_us"].cast<std::int64_t>());
  options.spin = std::chrono::microseconds(lane["spin_us"].cast<std::int64_t>());
  std::int64_t bytes = arrays.dtype.itemsize();
  for (std::size_t i = 0; i + 1 < arrays.view.size(); ++i) {
    bytes *= arrays.view[i];
  }
  const auto lengths = lane["lengths"].cast<std::vector<std::int64_t>>();
  for (const std::int64_t length : lengths) {
    options.classes.push_back({length, bytes * length});
  }
  if (lengths.empty()) {
    options.classes.push_back({0, bytes * arrays.view.back()});
  }
  return options;
}

Ready ready_input(const py::array& array, const LaneArrays& expected) {
  const auto dims = static_cast<py::ssize_t>(expected.view.size());
  const py::ssize_t extra = array.ndim() - dims;
  bool fits = (array.flags() & py::array::c_style) != 0 && array.dtype().equal(expected.dtype) &&
              (extra == 0 || extra == 1) && array.size() > 0;
  for (py::ssize_t i = 0; fits && i < dims; ++i) {
    fits = array.shape(extra + i) == expected.view[static_cast<std::size_t>(i)];
  }
  if (!fits) {
    throw py::value_error("ready input is not [rows, view] of the lane, contiguous");
  }
  const std::int64_t rows = extra == 0 ? 1 : array.shape(0);
  Ready ready{array.data(), rows, array.nbytes() / rows, 0};
  if (expected.tokens > 0) {
    ready.length = tokens_length(static_cast<const std::int64_t*>(array.data()), rows, expected);
  }
  return ready;
}

}  // namespace bindrt
