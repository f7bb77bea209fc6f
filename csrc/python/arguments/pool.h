// Checks what a caller gives to the pool op.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/pool/pool.h"

namespace bindrt {

struct PoolArguments {
  pybind11::array views;  // float32 [rows, dim]
  std::vector<std::int64_t> counts;
  std::optional<pybind11::array> weights;  // float32 [rows]

  kernels::PoolInput input() const;
};

// ValueError for anything that does not fit.
PoolArguments read_pool_arguments(const pybind11::object& views, const pybind11::object& counts,
                                  const pybind11::object& weights, double scale);

}  // namespace bindrt
