// Lanes as Python describes them, and arrays that are a lane's input already.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "csrc/pipeline/lane.h"
#include "csrc/python/prepare/ordinary_preparer.h"
#include "csrc/text/tokenizer.h"
#include "csrc/text/words.h"

namespace bindrt {

// What prepares a lane's ordinary items without the interpreter.
struct LanePreparer {
  std::shared_ptr<const OrdinaryPreparer> preparer;  // null: Python prepares all
  prepare::Limits limits;
  bool files = true;  // those of paths and bytes too
};

// What makes ids of a lane's plain texts without the interpreter.
struct LaneTexts {
  std::shared_ptr<const text::Tokenizer> tokenizer;  // null: Python prepares all
  std::shared_ptr<const text::Words> words;          // null: all are known

  // The ids of a text, `length` of them, of which `used` count; nothing for one that is left to Python.
  struct Read {
    std::shared_ptr<const std::vector<std::int64_t>> ids;
    std::int64_t used = 0;
    std::string unknown;  // words
  };
  std::optional<Read> read(std::string_view text, std::size_t length) const;
};

// How rows of a lane look to NumPy.
struct LaneArrays {
  pybind11::dtype dtype;
  std::vector<pybind11::ssize_t>
      view;                   // a row's shape; its last number is a class's length where that is not 0
  std::int64_t tokens = 0;    // rows are token numbers below this, ending with the largest; 0: they are not
  pybind11::ssize_t dim = 0;  // a vector's length
  LanePreparer ordinary;
  LaneTexts texts;

  std::int64_t view_numbers() const;  // in one row
};

// From a dictionary with the names of LaneOptions and LaneArrays; "lengths" has one number a length class,
// and "ordinary", which may be missing, the names of LanePreparer; so may "texts", a tokenizer and words.
LaneArrays lane_arrays(const pybind11::handle& lane);
pipeline::LaneOptions lane_options(const pybind11::handle& lane, const LaneArrays& arrays);

// An array [rows, view] or [view] as it is; ValueError for anything else.
pipeline::Ready ready_input(const pybind11::array& array, const LaneArrays& expected);

}  // namespace bindrt
