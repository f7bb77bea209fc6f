// What errors say, for tests.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "csrc/gpu/driver.h"

namespace bindrt::gpu {

// The message of the Error that `body` throws; empty if it throws none.
template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool has(const std::string& text, std::string_view part) {
  if (text.find(part) == std::string::npos) {
    std::fprintf(stderr, "  '%s' is not in '%s'\n", std::string(part).c_str(), text.c_str());
    return false;
  }
  return true;
}

}  // namespace bindrt::gpu
