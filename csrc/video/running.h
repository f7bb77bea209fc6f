// How many videos this process decodes at once, and how many threads each decoder gets of the cores.
#pragma once

namespace bindrt::video {

// While one of these lives, one video more runs.
class Running {
 public:
  Running() noexcept;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();
};

// Threads for a decoder that begins now and counts as running already, of so many threads that keep the cores
// busy: an equal part of them, and one more where that is more than one, since one of them waits for the
// others.
int decoder_threads(int usable) noexcept;

}  // namespace bindrt::video
