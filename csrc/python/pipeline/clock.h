// Seconds of Python as times of the pipeline.
#pragma once

#include <algorithm>
#include <chrono>

#include "csrc/pipeline/request.h"

namespace bindrt {

inline pipeline::Time after(double seconds) {
  constexpr double kLongest = 1e9;  // seconds: beyond, the clock's number would overflow
  return pipeline::Clock::now() + std::chrono::duration_cast<pipeline::Clock::duration>(
                                      std::chrono::duration<double>(std::min(seconds, kLongest)));
}

}  // namespace bindrt
