// What most programs push: an array like the one before it, which needs no further look.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "csrc/live/copy.h"

namespace bindrt {

enum class PieceKind { kBlocks, kFrames, kSamples };

// "blocks", "frames" or "samples"; ValueError for any other.
PieceKind piece_kind(const std::string& name);

// A piece as it was pushed.
struct Pushed {
  live::Rows rows;
  pybind11::ssize_t count = 1;     // of samples
  std::size_t time_bytes = 0;      // of samples' times
  const double* times = nullptr;   // null: `time` is that of the only sample
  std::optional<double> time{};    // of the first sample, or of the frame
  std::optional<double> newest{};  // of the newest sample
  bool is_fixed = false;           // nobody can change the frame

  std::size_t bytes() const noexcept { return rows.bytes() + time_bytes; }
};

// How a stream's usual pieces look: blocks [channels, n] or [n], frames of one shape, samples [6, n] or [6]
// with their times.
struct Usual {
  PieceKind kind = PieceKind::kFrames;
  bool may_have_no_time = false;  // it follows from the rate
  pybind11::object dtype{};       // of the numbers; null: nothing is usual yet
  std::vector<pybind11::ssize_t> shape{};

  // The piece, if it is as usual; its numbers are those of `data`.
  std::optional<Pushed> look(pybind11::handle data, pybind11::handle time) const;
};

}  // namespace bindrt
