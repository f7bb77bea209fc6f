// Calls of Python's functions, and what they raise or return in the pipeline's terms.

#include "csrc/python/pipeline/calls.h"

#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "csrc/python/gil.h"
#include "csrc/python/gpu/rows.h"
#include "csrc/python/pipeline/batch_slots.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using pipeline::Delivery;
using pipeline::EngineResult;
using pipeline::FailurePtr;

thread_local bool interrupted = false;

// Calls Python code that others depend on. The main thread may be here for a call of its own: then Ctrl-C
// does not cut it short, but is raised when that call returns.
template <class Call>
void uninterrupted(const Call& call) {
  for (;;) {
    try {
      or_sleep(call);
      return;
    } catch (py::error_already_set& error) {
      if (!error.matches(PyExc_KeyboardInterrupt)) {
        throw;
      }
      interrupted = true;
    }
  }
}

// The exception itself, for whoever delivers it.
FailurePtr failure_of(py::error_already_set& error) {
  return std::make_shared<const pipeline::Failure>(pipeline::Failure{"", held_object(error.value())});
}

// While it lives, and `wanted`, the garbage collector of the process does not run by itself: what it
// finalises may free memory of a GPU, which ends a recording of this thread. Called with the interpreter
// attached.
class NoCollection {
 public:
  explicit NoCollection(bool wanted) : wanted_(wanted) {
    const std::lock_guard lock(mutex);
    if (wanted_ && holders++ == 0) {
      was_on = PyGC_Disable() != 0;
    }
  }
  NoCollection(const NoCollection&) = delete;
  NoCollection& operator=(const NoCollection&) = delete;
  ~NoCollection() {
    const std::lock_guard lock(mutex);
    if (wanted_ && --holders == 0 && was_on) {
      PyGC_Enable();
    }
  }

 private:
  static inline std::mutex mutex;  // the interpreter's lock is not enough where Python runs without one
  static inline int holders = 0;   // recordings of several encoders
  static inline bool was_on = false;
  const bool wanted_;
};

// Lane descriptions at the end of the process: their Python objects stay.
void keep_for_ever(LaneArrays& lane) {
  lane.dtype.release();
  new auto(lane.ordinary.preparer);
}

}  // namespace

void raise_interrupt() {
  if (std::exchange(interrupted, false)) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw py::error_already_set();
  }
}

std::shared_ptr<py::object> held_object(py::object object) {
  return {new py::object(std::move(object)), [](py::object* held) {
            const WithGil gil;
            delete held;
          }};
}

py::object error_of(const FailurePtr& failure) {
  if (failure == nullptr) {
    return py::none();
  }
  if (failure->cause != nullptr) {
    return *static_cast<const py::object*>(failure->cause.get());
  }
  return py::str(failure->message);
}

PythonCalls::PythonCalls(std::vector<LaneArrays> lanes, py::object prepare, py::object run,
                         py::object deliver, py::object enqueue, py::object refused,
                         const DeviceParts& device)
    : lanes_(std::move(lanes)),
      prepare_(std::move(prepare)),
      run_(std::move(run)),
      deliver_(std::move(deliver)),
      enqueue_(std::move(enqueue)),
      refused_(std::move(refused)),
      device_(device) {}

PythonCalls::~PythonCalls() {
  if (finalizing()) {
    for (py::object* const each : {&prepare_, &run_, &deliver_, &enqueue_, &refused_}) {
      each->release();
    }
    for (const LaneArrays& lane : lanes_) {
      keep_for_ever(const_cast<LaneArrays&>(lane));
    }
    return;
  }
  const WithGil gil;
  prepare_ = run_ = deliver_ = enqueue_ = refused_ = py::object();
  const_cast<std::vector<LaneArrays>&>(lanes_).clear();
}

std::vector<py::ssize_t> PythonCalls::shape(int index, std::int64_t length, std::int64_t count) const {
  const LaneArrays& arrays = lane(index);
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(count)};
  shape.insert(shape.end(), arrays.view.begin(), arrays.view.end());
  if (length > 0) {
    shape.back() = static_cast<py::ssize_t>(length);
  }
  return shape;
}

// Lengths are no part of it: a graph's key has them too.
std::vector<int> PythonCalls::alike() const {
  std::vector<int> found;
  for (const LaneArrays& lane : lanes_) {
    const auto first = std::find_if(lanes_.begin(), lanes_.end(), [&lane](const LaneArrays& other) {
      return other.view == lane.view && other.dim == lane.dim && other.dtype.equal(lane.dtype);
    });
    found.push_back(static_cast<int>(first - lanes_.begin()));
  }
  return found;
}

py::array PythonCalls::rows(int index, std::int64_t length, std::int64_t count, void* data) const {
  return py::array(lane(index).dtype, shape(index, length, count), data,
                   py::none());  // a base: NumPy must neither copy nor free it
}

FailurePtr PythonCalls::prepare(const pipeline::Request& request, pipeline::ItemRows& rows) {
  auto& tag = *static_cast<PythonTag*>(request.tag.get());
  if (tag.ordinary && prepare_ordinary(tag, request.lane, rows)) {
    return nullptr;
  }
  const WithGil gil;
  const py::object python_rows = py::cast(PythonItemRows(*this, request.lane, tag, rows));
  FailurePtr failure;
  try {
    const py::object item = tag.bulk != nullptr ? tag.bulk->item(tag.index) : tag.item;
    or_sleep([&] { prepare_(request.lane, item, python_rows); });
  } catch (py::error_already_set& error) {
    failure = failure_of(error);
  }
  python_rows.cast<PythonItemRows&>().end();
  return failure;
}

std::optional<OrdinaryItem> PythonCalls::read_ordinary(int index, const py::handle& item) const {
  const LanePreparer& of = lane(index).ordinary;
  return of.preparer == nullptr ? std::nullopt : of.preparer->read(item, of.files);
}

std::shared_ptr<const gpu::LentRows> PythonCalls::read_lent(int index, const py::handle& item) const {
  if (!has_device() || !py::isinstance<gpu::PythonRows>(item)) {
    return nullptr;
  }
  const LaneArrays& arrays = lane(index);
  const auto& given = item.cast<const gpu::PythonRows&>().rows;
  if (arrays.tokens > 0 ||
      given->layout().batch_row_bytes() != arrays.view_numbers() * arrays.dtype.itemsize()) {
    throw py::value_error("rows on the device are not rows of the lane");
  }
  return given;
}

// Without the GIL. False: the item is left to Python.
bool PythonCalls::prepare_ordinary(PythonTag& tag, int index, pipeline::ItemRows& rows) const {
  const LaneArrays& arrays = lane(index);
  BatchSlots slots(rows, arrays.view_numbers(), tag, *this, stopped_, device_);
  auto prepared = arrays.ordinary.preparer->run(tag.ordinary->item, arrays.ordinary.limits, slots);
  if (!prepared) {
    return false;
  }
  tag.notes = std::move(prepared->notes);
  if (std::vector<float> weights = prepared->weights(); !weights.empty()) {
    rows.weigh(std::move(weights));
  }
  return true;
}

EngineResult PythonCalls::run(const pipeline::EngineCall& call) {
  using Status = EngineResult::Status;
  const WithGil gil;
  try {
    const py::array inputs = rows(call.lane, call.length, call.rows, const_cast<void*>(call.input));
    const py::array out(py::dtype::of<float>(), {static_cast<py::ssize_t>(call.rows), lane(call.lane).dim},
                        call.output, py::none());
    uninterrupted([&] { run_(call.lane, inputs, out); });
    return {};
  } catch (py::error_already_set& error) {
    const bool memory = error.matches(PyExc_MemoryError);
    return {memory ? Status::kOutOfMemory : Status::kFailed, failure_of(error)};
  }
}

void PythonCalls::enqueue(const gpu::EngineWork& work) const {
  const WithGil gil;
  const NoCollection uncollected(work.recording);
  try {
    or_sleep([&] {
      enqueue_(py::tuple(py::cast(shape(work.lane, work.length, work.rows))), work.source, work.target,
               reinterpret_cast<std::uintptr_t>(work.stream), work.kept);
    });
  } catch (py::error_already_set& error) {
    if (error.matches(PyExc_MemoryError)) {
      throw std::bad_alloc();
    }
    throw std::runtime_error(error.what());
  }
}

void PythonCalls::tell_refused(const std::string& video, const char* why) const {
  const WithGil gil;
  if (refused_.is_none()) {
    return;
  }
  try {
    uninterrupted([&] { refused_(video, why); });
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("bindrt: saying why a video is not decoded on the GPU");
  }
}

void PythonCalls::deliver(std::span<const Delivery> deliveries) noexcept {
  bool has_futures = false;
  for (const Delivery& each : deliveries) {
    auto& tag = *static_cast<PythonTag*>(each.request->tag.get());
    if (const std::shared_ptr<Bulk> bulk = std::move(tag.bulk)) {
      bulk->deliver(each, tag);
    } else {
      has_futures = true;
    }
  }
  if (has_futures) {
    deliver_futures(deliveries);
  }
}

void PythonCalls::deliver_futures(std::span<const Delivery> deliveries) noexcept {
  std::vector<std::shared_ptr<Waiters>> waiting;
  try {
    const WithGil gil;
    try {
      py::list rest;
      for (const Delivery& each : deliveries) {
        auto& tag = *static_cast<PythonTag*>(each.request->tag.get());
        if (!tag.future) {
          continue;
        }
        const py::object future = std::move(tag.future);
        if (auto waiters = tag.waiters.end()) {
          waiting.push_back(std::move(waiters));
        }
        tag.clear();
        if (!tag.notes.empty()) {
          set_notes(future, notes_dict(tag.notes));
        }
        py::object vector = py::none();
        if (each.vector != nullptr) {
          vector = vector_of(each);
          if (settle(future, vector)) {
            set_request(future, py::none());
            continue;
          }
        }
        rest.append(py::make_tuple(future, each.outcome, error_of(each.failure), vector));
      }
      uninterrupted([&] { deliver_(rest); });
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("bindrt: delivering results");
    }
  } catch (const std::exception& error) {
    const WithGil gil;
    PyErr_SetString(PyExc_RuntimeError, error.what());
    PyErr_WriteUnraisable(nullptr);
  }
  for (const std::shared_ptr<Waiters>& each : waiting) {
    each->open();
  }
}

// A copy: a view of the batch's memory would keep all of it.
py::array PythonCalls::vector_of(const Delivery& delivery) const {
  const py::ssize_t dim = lane(delivery.request->lane).dim;
  py::array_t<float> vector(dim);
  std::copy_n(delivery.vector, dim, vector.mutable_data());
  return vector;
}

pipeline::ItemRows& PythonItemRows::target() const {
  if (rows_ == nullptr) {
    throw py::value_error("rows are for use during prepare only");
  }
  return *rows_;
}

py::array PythonItemRows::reserve(std::int64_t rows, std::int64_t length) {
  void* const data = target().reserve(rows, length);
  return calls_->rows(lane_, target().length_of_rows(), rows, data);
}

void PythonItemRows::borrow(const py::array& rows) {
  const LaneArrays& expected = calls_->lane(lane_);
  const auto dims = static_cast<py::ssize_t>(expected.view.size());
  bool fits = expected.tokens == 0 && rows.ndim() == dims + 1 && rows.shape(0) > 0 &&
              (rows.flags() & py::array::c_style) != 0 && rows.dtype().equal(expected.dtype);
  for (py::ssize_t i = 0; fits && i < dims; ++i) {
    fits = rows.shape(i + 1) == expected.view[static_cast<std::size_t>(i)];
  }
  if (!fits) {
    throw py::value_error("borrowed rows are not [rows, view] of the lane, contiguous");
  }
  tag_->memory = rows;
  target().borrow(rows.data(), rows.shape(0));
}

void PythonItemRows::weigh(std::vector<float> weights) {
  float sum = 0;
  for (const float weight : weights) {
    if (!std::isfinite(weight) || weight < 0) {
      throw py::value_error("weights are finite and not negative");
    }
    sum += weight;
  }
  if (!(sum > 0)) {
    throw py::value_error("one weight must be positive");
  }
  target().weigh(std::move(weights));
}

void PythonItemRows::note(py::object notes) {
  if (tag_->bulk != nullptr) {
    tag_->bulk->note(tag_->index, std::move(notes));
  } else {
    set_notes(tag_->future, notes);
  }
}

bool PythonItemRows::is_wanted() const { return bindrt::is_wanted(*tag_); }

}  // namespace bindrt
