// What the simulator reports.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

namespace bindrt::cudasim {

// A fault of a kernel or its launch. Thrown by the launch; the kernel's threads are abandoned.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& message) : std::runtime_error("cudasim: " + message) {}
};

// "file.cu:12"
std::string text(const std::source_location& where);

// Function, file and line of a code address, for callbacks that get no source location; the bare address
// where the tool for it (addr2line) is missing.
std::string text(const void* code);

}  // namespace bindrt::cudasim
