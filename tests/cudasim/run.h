// For the C functions of run_<op>.cpp, which Python tests call (tests/support/cudasim.py).
#pragma once

#include <exception>
#include <string>

#define BINDRT_CUDASIM_C extern "C" [[gnu::visibility("default")]]

namespace bindrt::cudasim {

void set_error(const std::string& message);

// Calls `body`; 0, or 1 after an exception, whose message cudasim_error() gives.
template <class Body>
int guarded(Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    set_error(error.what());
    return 1;
  }
}

}  // namespace bindrt::cudasim
