// What is common to the C functions for Python.
#include "tests/cudasim/options.h"
#include "tests/cudasim/run.h"

namespace bindrt::cudasim {
namespace {

std::string& last_error() {
  static std::string message;
  return message;
}

}  // namespace

void set_error(const std::string& message) { last_error() = message; }

}  // namespace bindrt::cudasim

BINDRT_CUDASIM_C const char* cudasim_error() { return bindrt::cudasim::last_error().c_str(); }

// As BINDRT_CUDASIM: order=reverse,poison=0x5a.
BINDRT_CUDASIM_C int cudasim_options(const char* text) {
  return bindrt::cudasim::guarded(
      [&] { bindrt::cudasim::set_options(bindrt::cudasim::parse_options(text)); });
}
