// Launches an op's kernels again and again, between events.
#include "csrc/python/gpu/kernel_times.h"

#include <algorithm>
#include <limits>
#include <memory>

namespace bindrt::gpu {
namespace {

// A round launches a kernel so many times, then so many times: the difference has neither the events' time
// nor that of a device that waits for its first launch.
constexpr int kFewer = 2;
constexpr int kMore = 10;

using Launches = std::vector<const NotingQueue::Launch*>;

void launch_all(StreamQueue& queue, const Launches& launches, int times) {
  for (int i = 0; i < times; ++i) {
    for (const NotingQueue::Launch* const each : launches) {
      queue.launch(each->kernel.c_str(), each->shape, each->params.data(), each->params.size());
    }
  }
}

std::vector<double> seconds_of(StreamQueue& queue, const Launches& launches, int rounds) {
  std::vector<std::unique_ptr<Event>> marks;
  const auto mark = [&] {
    marks.push_back(std::make_unique<Event>(queue.context(), Event::Timing::kOn));
    marks.back()->record(queue.stream());
  };
  mark();
  for (int round = 0; round < rounds; ++round) {
    launch_all(queue, launches, kFewer);
    mark();
    launch_all(queue, launches, kMore);
    mark();
  }
  queue.wait();
  std::vector<double> seconds;
  for (std::size_t i = 2; i < marks.size(); i += 2) {
    const double fewer = static_cast<double>(marks[i - 1]->milliseconds_since(*marks[i - 2]));
    const double more = static_cast<double>(marks[i]->milliseconds_since(*marks[i - 1]));
    seconds.push_back(1e-3 * std::max(more - fewer, 0.0) / (kMore - kFewer));
  }
  return seconds;
}

}  // namespace

void NotingQueue::launch(const char* kernel, const kernels::LaunchShape& shape, const void* params,
                         std::size_t params_bytes) {
  queue_.launch(kernel, shape, params, params_bytes);
  const auto* const begin = static_cast<const std::byte*>(params);
  launches_.push_back({kernel, shape, {begin, begin + params_bytes}});
}

std::vector<KernelTimes> time_kernels(const NotingQueue& queue, int rounds) {
  std::vector<KernelTimes> found;
  for (const NotingQueue::Launch& each : queue.launches()) {
    if (std::none_of(found.begin(), found.end(),
                     [&](const auto& known) { return known.name == each.kernel; })) {
      found.push_back({each.kernel, {}});
    }
  }
  StreamQueue& on = queue.stream_queue();
  for (KernelTimes& kernel : found) {
    Launches launches;
    for (const NotingQueue::Launch& each : queue.launches()) {
      if (each.kernel == kernel.name) {
        launches.push_back(&each);
      }
    }
    if (on.context().driver().simulated()) {
      launch_all(on, launches, 1);  // it must run; its time says nothing
      on.wait();
      kernel.seconds.assign(static_cast<std::size_t>(rounds), std::numeric_limits<double>::quiet_NaN());
    } else {
      kernel.seconds = seconds_of(on, launches, rounds);
    }
  }
  return found;
}

}  // namespace bindrt::gpu
