// Orders packets by time, and groups them by key frames.
#include "csrc/video/packets.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace bindrt::video {
namespace {

constexpr double kRounding = 1e-6;  // of a unit of time
// Places that showing and decoding may differ by; codecs allow 16 frames.
constexpr std::int64_t kFarthest = 64;
constexpr std::int64_t kLatest = std::int64_t{1} << 60;  // differences of times do not overflow

}  // namespace

void Packets::add(std::int64_t time, bool is_key, std::int32_t bytes) {
  if (is_key) {
    keys_.push_back(count());
  }
  reordered_ = reordered_ || (!times_.empty() && time < times_.back());
  times_.push_back(time);
  bytes_.push_back(bytes);
}

bool Packets::finish() {
  shown_.resize(times_.size());
  std::iota(shown_.begin(), shown_.end(), std::int64_t{0});
  std::ranges::stable_sort(shown_, {}, [this](std::int64_t at) { return time(at); });
  for (std::int64_t i = 0; i < count(); ++i) {
    const bool is_again = i > 0 && time(of_frame(i)) == time(of_frame(i - 1));
    if (is_again || std::abs(of_frame(i) - i) > kFarthest || std::abs(time(i)) > kLatest) {
      return false;
    }
  }
  return !keys_.empty() && keys_.front() == 0;
}

std::optional<std::int64_t> Packets::at_time(std::int64_t time) const {
  const auto found = std::ranges::find(times_, time);
  if (found == times_.end() || std::find(found + 1, times_.end(), time) != times_.end()) {
    return std::nullopt;
  }
  return found - times_.begin();
}

Run Packets::between(double start, std::optional<double> end, double tick) const {
  const double slack = kRounding * tick;
  const std::int64_t first_time = time(of_frame(0));
  const auto first_from = [&](double seconds) {
    const auto found = std::ranges::lower_bound(shown_, seconds - slack, {}, [&](std::int64_t at) {
      return static_cast<double>(time(at) - first_time) * tick;
    });
    return found - shown_.begin();
  };
  return {first_from(start), end ? first_from(*end) : count()};
}

Packets::Plan Packets::plan(std::span<const std::int64_t> frames) const {
  Plan plan;
  std::map<std::int64_t, std::int64_t> ends;  // by group: the packet before which it may end
  const auto end_of = [this](std::int64_t group) {
    const auto next = static_cast<std::size_t>(group + 1);
    return next < keys_.size() ? keys_[next] : count();
  };
  for (const std::int64_t frame : frames) {
    const std::int64_t packet = of_frame(frame);
    const std::int64_t group = std::ranges::upper_bound(keys_, packet) - keys_.begin() - 1;
    ends[group] = std::max(ends[group], packet + 1);
    if (group > 0 && time(packet) < time(keys_[static_cast<std::size_t>(group)])) {
      ends[group - 1] = end_of(group - 1);
    }
    plan.frames[time(packet)] = frame;
    plan.packets.insert(packet);
  }
  for (const auto& [group, end] : ends) {
    const std::int64_t begin = keys_[static_cast<std::size_t>(group)];
    if (!plan.runs.empty() && plan.runs.back().end == begin) {
      plan.runs.back().end = end;
    } else {
      plan.runs.push_back({begin, end});
    }
  }
  return plan;
}

}  // namespace bindrt::video
