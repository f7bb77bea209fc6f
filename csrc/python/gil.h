// Letting go of the interpreter and taking it back, also when it is ending.
//
// A thread that wants an interpreter which is gone is ended by CPython before 3.14: its stack is unwound, and
// the process aborts where a frame must not throw. Here such a thread sleeps until the process ends.
#pragma once

#include <cxxabi.h>
#include <pybind11/pybind11.h>
#include <unistd.h>

#include <optional>
#include <utility>

namespace bindrt {

inline bool finalizing() noexcept {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

// Calls what may want the interpreter.
template <class Call>
decltype(auto) or_sleep(const Call& call) {
  try {
    return call();
  } catch (const abi::__forced_unwind&) {
    for (;;) {  // never left: the handler would have to go on unwinding
      ::pause();
    }
  }
}

// As pybind11's gil_scoped_release.
class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;
  ~WithoutGil() {
    or_sleep([this] { PyEval_RestoreThread(state_); });
  }

 private:
  PyThreadState* state_;
};

// As pybind11's gil_scoped_acquire.
class WithGil {
 public:
  WithGil() {
    or_sleep([this] { held_.emplace(); });
  }
  WithGil(const WithGil&) = delete;
  WithGil& operator=(const WithGil&) = delete;
  ~WithGil() = default;

 private:
  std::optional<pybind11::gil_scoped_acquire> held_;
};

}  // namespace bindrt
