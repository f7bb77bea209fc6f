// What most programs push: an array like the one before it, which needs no further look.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "csrc/live/copy.h"

namespace bindrt::live {

enum class PieceKind { kBlocks, kFrames, kSamples };

// An array's fields.
struct Fields {
  const void* type = nullptr;  // of its numbers; arrays of one type have the same pointer
  const std::byte* data = nullptr;
  std::size_t item = 0;  // bytes of a number
  int axes = 0;
  const std::ptrdiff_t* shape = nullptr;
  const std::ptrdiff_t* strides = nullptr;  // bytes
};

// What a program gives as time.
struct Moment {
  enum class Kind { kNone, kSeconds, kTimes, kOther };

  Kind kind = Kind::kNone;
  double seconds = 0;  // finite
  Fields times{};      // doubles
};

// A piece as it was pushed.
struct Pushed {
  Rows rows;
  std::ptrdiff_t count = 1;        // of samples
  std::size_t time_bytes = 0;      // of samples' times
  const double* times = nullptr;   // null: `time` is that of the only sample
  std::optional<double> time{};    // of the first sample, or of the frame
  std::optional<double> newest{};  // of the newest sample

  std::size_t bytes() const noexcept { return rows.bytes() + time_bytes; }
};

// How a stream's usual pieces look: blocks [channels, n] or [n], frames of one shape, samples [6, n] or [6]
// with their times.
struct Usual {
  PieceKind kind = PieceKind::kFrames;
  bool may_have_no_time = false;  // it follows from the rate
  const void* type = nullptr;     // of the numbers; null: nothing is usual yet
  std::vector<std::ptrdiff_t> shape{};

  // The piece, if it is as usual; its numbers are those of the array.
  std::optional<Pushed> look(const Fields& array, const Moment& time) const;
};

}  // namespace bindrt::live
