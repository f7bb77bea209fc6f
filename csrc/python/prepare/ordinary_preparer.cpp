// Reading items under the GIL, and preparing them without it.
#include "csrc/python/prepare/ordinary_preparer.h"

#include <pybind11/stl.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>

#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/python/gpu/rows.h"
#include "csrc/python/prepare/numbers.h"
#include "csrc/python/prepare/values.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using prepare::Slots;

bool is_exactly(const py::handle& object, const py::handle& type) {
  return reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) == type.ptr();
}

// Rows that are made here.
class OwnSlots final : public Slots {
 public:
  explicit OwnSlots(const std::vector<py::ssize_t>& view) : view_(view) {}

  float* reserve(std::int64_t views) override {
    views_ = views;
    memory_ = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(views * view_numbers()));
    return memory_.get();
  }
  std::int64_t view_numbers() const override {
    return std::accumulate(view_.begin(), view_.end(), std::int64_t{1}, std::multiplies<>());
  }

  py::array take() {
    float* const data = memory_.release();
    const py::capsule owner(data, [](void* held) { delete[] static_cast<float*>(held); });
    std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(views_)};
    shape.insert(shape.end(), view_.begin(), view_.end());
    return py::array_t<float>(shape, data, owner);
  }

 private:
  const std::vector<py::ssize_t>& view_;
  std::unique_ptr<float[]> memory_;
  std::int64_t views_ = 0;
};

// The frames of a video on a device, those that Python has lent; nothing if it has lent none.
std::optional<std::vector<prepare::Array>> lent_frames(const py::handle& frames) {
  std::vector<prepare::Array> found;
  bool any = false;
  for (const py::handle each : py::reinterpret_borrow<py::tuple>(frames)) {
    const bool lent = py::isinstance<gpu::PythonLent>(each);
    found.push_back(lent ? each.cast<const gpu::PythonLent&>().array : prepare::Array{});
    any = any || lent;
  }
  return any ? std::optional(std::move(found)) : std::nullopt;
}

// Rows that a Python function gives; it is called under the GIL.
class PythonSlots final : public Slots {
 public:
  explicit PythonSlots(const py::object& reserve) : reserve_(reserve) {}
  PythonSlots(const PythonSlots&) = delete;
  PythonSlots& operator=(const PythonSlots&) = delete;

  // Under the GIL; reserve() of so many then needs it no more.
  void reserve_ahead(std::int64_t views) {
    views_ = views;
    data_ = nullptr;
    try {
      or_sleep([&] { rows_ = reserve_(views); });
    } catch (const py::error_already_set&) {  // freed here, under the GIL; Python's way will raise it as well
      rows_ = py::none();
    }
    if (py::isinstance<py::array_t<float, py::array::c_style>>(rows_)) {
      auto rows = py::reinterpret_borrow<py::array>(rows_);
      view_numbers_ = rows.size() / views;
      data_ = static_cast<float*>(rows.mutable_data());
    }
  }

  float* reserve(std::int64_t views) override {
    if (views != views_) {
      const WithGil gil;
      reserve_ahead(views);
    }
    if (data_ == nullptr) {
      throw std::runtime_error("no rows");
    }
    return data_;
  }
  std::int64_t view_numbers() const override { return view_numbers_; }

  py::object take() { return std::move(rows_); }

 private:
  const py::object& reserve_;
  py::object rows_;
  float* data_ = nullptr;
  std::int64_t views_ = 0;
  std::int64_t view_numbers_ = 0;
};

py::object as_result(const prepare::Prepared& prepared, py::object views) {
  py::object index = py::none();
  if (!prepared.index.empty()) {
    index = py::array_t<std::int64_t>(static_cast<py::ssize_t>(prepared.index.size()), prepared.index.data());
  }
  return py::make_tuple(std::move(views), std::move(index), notes_dict(prepared.notes));
}

}  // namespace

OrdinaryPreparer::OrdinaryPreparer(Options options)
    : options_(std::move(options)),
      path_(py::module_::import("pathlib").attr("PosixPath")),
      preparer_(prepare::find(options_.modality)) {
  if (preparer_ == nullptr) {
    throw py::value_error("no preparer of " + options_.modality);
  }
  for (const auto& [name, usual] : options_.fields) {
    fields_.push_back({py::reinterpret_borrow<py::object>(name), py::reinterpret_borrow<py::object>(usual),
                       py::cast<std::string>(name)});
  }
}

std::optional<OrdinaryItem> OrdinaryPreparer::read(const py::handle& item, bool files) const {
  OrdinaryItem found;
  const bool is_wrapped = is_exactly(item, options_.wrapper);
  if (!is_wrapped && !options_.bare_arrays && is_array(item)) {
    return std::nullopt;
  }
  py::object source =
      is_wrapped ? attribute(item, options_.source) : py::reinterpret_borrow<py::object>(item);
  if (!source || !read_source(std::move(source), files, found) || (is_wrapped && !read_fields(item, found))) {
    return std::nullopt;
  }
  return found;
}

bool OrdinaryPreparer::read_source(py::object source, bool files, OrdinaryItem& found) const {
  if (py::isinstance<gpu::PythonLent>(source)) {
    found.item.source = source.cast<const gpu::PythonLent&>().array;
    found.owners.push_back(std::move(source));
    return true;
  }
  if (PyTuple_CheckExact(source.ptr())) {
    auto frames = lent_frames(source);
    if (frames) {
      found.item.source = *std::move(frames);
      found.owners.push_back(std::move(source));
    }
    return frames.has_value();
  }
  if (is_array(source)) {
    source = without_gaps(std::move(source));
    auto array = array_of(source);
    if (array) {
      found.item.source = *std::move(array);
      found.owners.push_back(std::move(source));
    }
    return array.has_value();
  }
  if (!files) {
    return false;
  }
  if (is_exactly(source, options_.named_bytes)) {
    source = call_method(source, "getvalue");
  }
  if (source && PyBytes_CheckExact(source.ptr())) {
    const auto text = static_cast<std::string_view>(py::reinterpret_borrow<py::bytes>(source));
    found.item.source = prepare::Bytes{reinterpret_cast<const std::byte*>(text.data()), text.size()};
    found.owners.push_back(std::move(source));
    return !text.empty();
  }
  if (source && (PyUnicode_Check(source.ptr()) || is_exactly(source, path_))) {
    auto path = path_of(source);
    if (path) {
      found.item.source = *std::move(path);
    }
    return path.has_value();
  }
  return false;
}

bool OrdinaryPreparer::read_fields(const py::handle& item, OrdinaryItem& found) const {
  for (const auto& [name, usual, text] : fields_) {
    py::object given = attribute(item, name);
    if (!given) {
      return false;
    }
    if (given.is(usual)) {
      continue;
    }
    if (py::isinstance<gpu::PythonLent>(given)) {
      found.item.arrays.emplace(text, given.cast<const gpu::PythonLent&>().array);
      found.owners.push_back(std::move(given));
    } else if (is_array(given)) {
      given = without_gaps(std::move(given));
      auto array = array_of(given);
      if (!array) {
        return false;
      }
      found.item.arrays.emplace(text, *std::move(array));
      found.owners.push_back(std::move(given));
    } else if (auto value = value_of(given)) {
      found.item.options.emplace(text, *std::move(value));
    } else {
      return false;
    }
  }
  return true;
}

std::optional<prepare::Prepared> OrdinaryPreparer::run(const prepare::Item& item,
                                                       const prepare::Limits& limits,
                                                       Slots& slots) const noexcept {
  return prepare::prepare_or_leave(preparer_, item, limits, slots);
}

py::object OrdinaryPreparer::prepare(const py::object& item, const py::object& limits,
                                     const py::object& reserve) const {
  const std::optional<OrdinaryItem> found = read(item, true);
  if (!found) {
    return py::none();
  }
  const prepare::Limits bounds = limits_.read(limits);
  std::optional<prepare::Prepared> prepared;
  const auto prepare_into = [&](Slots& slots) {
    const WithoutGil release;
    prepared = run(found->item, bounds, slots);
  };
  if (reserve.is_none()) {
    OwnSlots slots(options_.view);
    prepare_into(slots);
    return prepared ? as_result(*prepared, slots.take()) : py::none();
  }
  PythonSlots slots(reserve);
  if (options_.views == 1 && std::holds_alternative<prepare::Array>(found->item.source)) {
    slots.reserve_ahead(1);  // an array is soon prepared; taking the GIL once more would take as long
  }
  prepare_into(slots);
  return prepared ? as_result(*prepared, slots.take()) : py::none();
}

prepare::Limits LastLimits::read(const py::object& limits) {
  {
    const std::lock_guard lock(mutex_);
    if (given_.is(limits)) {
      return limits_;
    }
  }
  const prepare::Limits found = read_limits(limits);  // runs Python, so not under the mutex
  py::object given = limits;
  const std::lock_guard lock(mutex_);
  std::swap(given_, given);
  limits_ = found;
  return found;
}

prepare::Limits read_limits(const py::handle& limits) {
  const auto number = [&limits](const char* name) { return py::cast<double>(py::float_(limits.attr(name))); };
  const auto whole = [&number](const char* name) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    const double given = std::floor(number(name));
    return given < static_cast<double>(kMost) ? static_cast<std::int64_t>(given) : kMost;
  };
  return {whole("max_bytes"),         whole("max_pixels"),  number("max_seconds"),        whole("max_scans"),
          whole("max_picture_bytes"), whole("max_packets"), number("max_pixels_per_byte")};
}

py::dict notes_dict(const Notes& notes) {
  py::dict found;
  for (const auto& [name, value] : notes) {
    found[py::str(name)] = py::cast(value);
  }
  return found;
}

void bind_prepare(py::module_& module) {
  module.def("ordinary_modalities", &prepare::modalities,
             "The modalities whose ordinary items are prepared without the interpreter's lock.");
  module.def("item_numbers", &item_numbers,
             "Numbers of items that both ways of preparing share: defaults, units and bounds; a fresh copy.");
  module.def("mean_acceleration", &mean_acceleration, py::arg("input"),
             "The mean acceleration of the IMU encoder's input [6, 2000], from some of its steps.");
  py::class_<OrdinaryPreparer, std::shared_ptr<OrdinaryPreparer>>(
      module, "OrdinaryPreparer", py::is_final(), py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
      "Prepares the ordinary items of a modality; see csrc/prepare/prepare.h.")
      .def(py::init([](std::string modality, std::vector<py::ssize_t> view, py::type wrapper, py::str source,
                       py::dict fields, py::ssize_t views, bool bare_arrays, py::type named_bytes) {
             return std::make_shared<OrdinaryPreparer>(OrdinaryPreparer::Options{
                 std::move(modality), std::move(view), std::move(wrapper), std::move(source),
                 std::move(fields), views, bare_arrays, std::move(named_bytes)});
           }),
           py::arg("modality"), py::arg("view"), py::arg("wrapper"), py::arg("source"), py::arg("fields"),
           py::arg("views"), py::arg("bare_arrays"), py::arg("named_bytes"))
      .def(
          "prepare", &OrdinaryPreparer::prepare, py::arg("item"), py::arg("limits"),
          py::arg("reserve") = py::none(),
          R"(An item's views, which of them each of its is (None: each once) and its notes; None: left to Python.

reserve: gives rows of a batch to write to, as prepare_views has it.)");
}

}  // namespace bindrt
