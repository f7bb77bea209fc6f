// Attributes of Python's futures, set without running Python code; and the threads that wait.

#include "csrc/python/pipeline/future.h"

#include <utility>

namespace py = pybind11;

namespace bindrt {
namespace {

// Attributes and states of concurrent.futures.Future; the last three are EmbeddingFuture's own.
struct Names {
  PyObject* state = PyUnicode_InternFromString("_state");
  PyObject* result = PyUnicode_InternFromString("_result");
  PyObject* pending = PyUnicode_InternFromString("PENDING");
  PyObject* finished = PyUnicode_InternFromString("FINISHED");
  PyObject* made = PyUnicode_InternFromString("_made");
  PyObject* request = PyUnicode_InternFromString("request");
  PyObject* notes = PyUnicode_InternFromString("notes");
};

const Names& names() {
  static const Names all;
  return all;
}

bool is(py::handle future, PyObject* name, PyObject* value) {
  const auto found = py::reinterpret_steal<py::object>(PyObject_GetAttr(future.ptr(), name));
  if (!found) {
    throw py::error_already_set();
  }
  return found.ptr() == value;
}

void set(py::handle future, PyObject* name, py::handle value) {
  if (PyObject_SetAttr(future.ptr(), name, value.ptr()) != 0) {
    throw py::error_already_set();
  }
}

}  // namespace

void Waiters::open() {
  {
    const std::lock_guard lock(mutex_);
    open_ = true;
  }
  wake_.notify_all();
}

bool Waiters::wait(pipeline::Time until) {
  std::unique_lock lock(mutex_);
  return wake_.wait_until(lock, until, [this] { return open_; });
}

std::shared_ptr<Waiters> LateWaiters::wanted() {
  const std::lock_guard lock(mutex_);
  if (made_ == nullptr && !ended_) {
    made_ = std::make_shared<Waiters>();
  }
  return ended_ ? nullptr : made_;
}

std::shared_ptr<Waiters> LateWaiters::made() const {
  const std::lock_guard lock(mutex_);
  return made_;
}

std::shared_ptr<Waiters> LateWaiters::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  return std::move(made_);
}

bool settle(py::handle future, py::handle vector) {
#ifdef Py_GIL_DISABLED
  return false;  // another thread may make the condition between the question and the answer
#endif
  if (!is(future, names().made, Py_None) || !is(future, names().state, names().pending)) {
    return false;
  }
  set(future, names().result, vector);
  set(future, names().state, names().finished);
  return true;
}

void set_notes(py::handle future, py::handle notes) { set(future, names().notes, notes); }

void set_request(py::handle future, py::handle request) { set(future, names().request, request); }

}  // namespace bindrt
