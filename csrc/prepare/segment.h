// A part of a recording, given in seconds.
#pragma once

#include <memory>
#include <optional>

#include "csrc/audio/recording.h"

namespace bindrt::prepare {

struct Span {
  double start = 0.0;
  std::optional<double> end;  // none: where the recording ends

  bool is_right() const noexcept { return start >= 0.0 && (!end || *end > start); }
  bool is_whole() const noexcept { return start == 0.0 && !end; }
};

// The part of a recording, which stays where it is; null if nothing of it lies there.
std::unique_ptr<audio::Recording> segment(audio::Recording& whole, const Span& span);

}  // namespace bindrt::prepare
