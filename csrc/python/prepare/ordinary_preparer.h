// Python's items as csrc/prepare takes them, and the doors to it.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "csrc/prepare/prepare.h"
#include "csrc/prepare/registry.h"

namespace bindrt {

// An item that csrc/prepare may prepare, and what keeps its memory.
struct OrdinaryItem {
  prepare::Item item;
  std::vector<pybind11::object> owners;
};

using Notes = std::vector<std::pair<std::string, prepare::Value>>;

// A model's limits as csrc/prepare takes them.
prepare::Limits read_limits(const pybind11::handle& limits);

// The limits that were read last: most calls have the same, and they are seven attributes to read.
class LastLimits {
 public:
  prepare::Limits read(const pybind11::object& limits);  // under the GIL

 private:
  std::mutex mutex_;
  pybind11::object given_;
  prepare::Limits limits_;
};

// How the items of one modality look in Python.
class OrdinaryPreparer {
 public:
  struct Options {
    std::string modality;
    std::vector<pybind11::ssize_t> view;  // the shape of one view
    pybind11::type wrapper;
    pybind11::str source;         // the name of the wrapper's field that holds the item itself
    pybind11::dict fields;        // its other fields, each with its default
    pybind11::ssize_t views = 0;  // the most that an item has
    bool bare_arrays = false;     // an array without its wrapper is an item
    pybind11::type named_bytes;
  };
  // ValueError if csrc/prepare does not know the modality.
  explicit OrdinaryPreparer(Options options);

  // Under the GIL. Nothing for an item that is left to Python. `files`: paths and bytes are taken too.
  std::optional<OrdinaryItem> read(const pybind11::handle& item, bool files) const;

  // Without the GIL; nothing for an item that is left to Python.
  std::optional<prepare::Prepared> run(const prepare::Item& item, const prepare::Limits& limits,
                                       prepare::Slots& slots) const noexcept;

  // Reads and prepares an item: (views, index or None, notes), or None. `reserve` gives the rows to write
  // to; without it they are made here.
  pybind11::object prepare(const pybind11::object& item, const pybind11::object& limits,
                           const pybind11::object& reserve) const;

 private:
  bool read_source(pybind11::object source, bool files, OrdinaryItem& found) const;
  bool read_fields(const pybind11::handle& item, OrdinaryItem& found) const;

  struct Field {
    pybind11::object name;
    pybind11::object usual;
    std::string text;  // the name
  };

  const Options options_;
  std::vector<Field> fields_;
  const pybind11::type path_;  // pathlib's, of this system
  const prepare::Preparer preparer_;
  mutable LastLimits limits_;
};

pybind11::dict notes_dict(const Notes& notes);

}  // namespace bindrt
