// What the lanes of a warp bring to an operation that they do together, and what each gets.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tests/cudasim/warp.h"

namespace bindrt::cudasim {

constexpr unsigned kLanes = 32;

struct Arrival {
  WarpOp op = WarpOp::kSync;
  unsigned mask = 0;
  std::uint64_t value = 0;
  int operand = 0;  // lane, distance or lane mask of a shuffle
  int width = 32;
  Where where;
  std::uint64_t result = 0;
};

// By lane; those of `present` are set.
using Arrivals = std::array<Arrival*, kLanes>;

// Computes the results of the lanes `present`, which have all come. Empty, or what is wrong.
std::string complete(const Arrivals& lanes, unsigned present);

const char* name_of(WarpOp op);

}  // namespace bindrt::cudasim
