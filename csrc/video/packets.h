// The packets of a video, and which of them must be decoded to get some of its frames. As
// runtime/bindrt/sources/groups.py has it, for videos whose packets' times tell the order of their frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace bindrt::video {

// Places of packets, from the first to before the end.
struct Run {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t size() const noexcept { return end - begin; }
};

class Packets {
 public:
  void add(std::int64_t time, bool is_key, std::int32_t bytes);
  // No more come. False if the times do not tell the order of showing, or the first is no key frame.
  bool finish();

  std::int64_t count() const noexcept { return static_cast<std::int64_t>(times_.size()); }
  std::int64_t time(std::int64_t at) const { return times_[static_cast<std::size_t>(at)]; }
  std::int32_t bytes(std::int64_t at) const { return bytes_[static_cast<std::size_t>(at)]; }
  bool reordered() const noexcept { return reordered_; }
  // The only packet of that time.
  std::optional<std::int64_t> at_time(std::int64_t time) const;

  // What follows is for finished ones.
  // The packet of a frame, counted as they are shown.
  std::int64_t of_frame(std::int64_t frame) const { return shown_[static_cast<std::size_t>(frame)]; }
  // The frames shown from `start` to before `end`, in seconds from the first; `tick` is a unit's seconds.
  Run between(double start, std::optional<double> end, double tick) const;

  // What to decode for some frames.
  struct Plan {
    std::map<std::int64_t, std::int64_t> frames;  // by time
    std::set<std::int64_t> packets;               // those of the frames
    std::vector<Run> runs;                        // of packets, each from a key frame on
  };
  // From each key frame to the last of its frames: in the order of decoding no frame refers to a later one.
  // Frames that are shown before their key frame may refer to the group before, which is then added.
  Plan plan(std::span<const std::int64_t> frames) const;

 private:
  std::vector<std::int64_t> times_;
  std::vector<std::int64_t> keys_;  // places of key frames
  std::vector<std::int32_t> bytes_;
  std::vector<std::int64_t> shown_;  // places in the order of showing
  bool reordered_ = false;
};

}  // namespace bindrt::video
