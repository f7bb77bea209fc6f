// Reads a part of a recording as if it were all.
#include "csrc/prepare/segment.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/resample/audio_view.h"

namespace bindrt::prepare {
namespace {

using audio::Range;
using kernels::AudioView;

class Segment final : public audio::Recording {
 public:
  Segment(audio::Recording& whole, std::int64_t first, std::int64_t last)
      : whole_(whole), first_(first), last_(last) {
    rate = whole.rate;
    frames = decoded = last - first;
    channels = whole.channels;
  }

  bool is_one_block() const noexcept override { return whole_.is_one_block(); }

  // What follows the part need not be read.
  bool read(std::span<const Range> wanted, const audio::Take& take) override {
    std::vector<Range> moved;
    for (const Range& range : wanted) {
      moved.push_back({std::max<std::int64_t>(range.begin, 0) + first_, std::min(range.end + first_, last_)});
    }
    bool done = false;
    const bool good = whole_.read(moved, [&](const AudioView& block) {
      const std::int64_t begin = std::max(block.begin, first_);
      const std::int64_t end = std::min(block.begin + block.count, last_);
      if (begin < end) {
        AudioView part = kernels::cut(block, begin, end);
        part.begin -= first_;
        if (!take(part)) {
          return false;
        }
      }
      done = block.begin + block.count >= last_;
      return !done;
    });
    return good || done;
  }

 private:
  audio::Recording& whole_;
  std::int64_t first_;
  std::int64_t last_;
};

}  // namespace

std::unique_ptr<audio::Recording> segment(audio::Recording& whole, const Span& span) {
  const auto rate = static_cast<double>(whole.rate);
  const auto frames = static_cast<double>(whole.frames);
  const double first = std::nearbyint(span.start * rate);
  const double last = std::min(span.end ? std::nearbyint(*span.end * rate) : frames, frames);
  if (first >= frames || first >= last) {
    return nullptr;
  }
  return std::make_unique<Segment>(whole, static_cast<std::int64_t>(first), static_cast<std::int64_t>(last));
}

}  // namespace bindrt::prepare
