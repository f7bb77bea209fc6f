// The life of a pipeline and of its requests, but for preparing, executing and the device.

#include "csrc/pipeline/pipeline.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "csrc/pipeline/callback_scope.h"

namespace bindrt::pipeline {

thread_local int CallbackScope::depth = 0;

Lane::Lane(int number, LaneOptions given)
    : index(number), options(std::move(given)), limit(options.max_batch) {
  const auto require = [this](bool good, const char* what) {
    if (!good) {
      throw std::invalid_argument("lane " + options.name + ": " + what);
    }
  };
  require(options.max_batch > 0 && options.item_rows > 0 && options.dim > 0, "sizes must be positive");
  require(options.queue > 0, "its queue must hold a request");
  require(!options.classes.empty(), "it needs a length class");
  for (std::size_t i = 0; i < options.classes.size(); ++i) {
    require(options.classes[i].row_bytes > 0, "rows must not be empty");
    require(i == 0 || options.classes[i - 1].length < options.classes[i].length, "lengths must ascend");
  }
  if (options.in_flight == 0) {
    options.in_flight = 3 * batch_rows();
  }
  open.resize(options.classes.size());
  free.resize(options.classes.size());
  making.resize(options.classes.size());
  batch_sizes.resize(static_cast<std::size_t>(batch_rows()) + 1);
}

std::shared_ptr<Pipeline> Pipeline::make(std::vector<LaneOptions> lanes, std::shared_ptr<Callbacks> callbacks,
                                         std::shared_ptr<Workers> workers, std::shared_ptr<Device> device) {
  const auto end = [](Pipeline* pipeline) {
    if (pipeline->process_ != ::getpid()) {
      return;
    }
    if (CallbackScope::inside()) {  // its threads cannot wait for themselves
      std::thread([pipeline] { delete pipeline; }).detach();
    } else {
      delete pipeline;
    }
  };
  return {new Pipeline(std::move(lanes), std::move(callbacks), std::move(workers), std::move(device)), end};
}

Pipeline::Pipeline(std::vector<LaneOptions> lanes, std::shared_ptr<Callbacks> callbacks,
                   std::shared_ptr<Workers> workers, std::shared_ptr<Device> device)
    : process_(::getpid()), callbacks_(std::move(callbacks)), workers_(std::move(workers)) {
  for (LaneOptions& options : lanes) {
    executor_.spin = std::max(executor_.spin, options.spin);
    lanes_.push_back(std::make_unique<Lane>(static_cast<int>(lanes_.size()), std::move(options)));
  }
  executor_.device = std::move(device);
  executor_.thread = std::thread(&Pipeline::execute, this);
  if (executor_.device != nullptr) {
    executor_.waiter = std::thread(&Pipeline::wait_for_device, this);
  }
  finisher_ = std::thread(&Pipeline::hand_over, this);
  workers_->add(this);
}

Pipeline::~Pipeline() { close(Closing::kAbort); }

void Pipeline::require_this_process() const {
  if (process_ != ::getpid()) {
    throw ForkedError("the pipeline was made before the process forked");
  }
}

// Under the mutex.
void Pipeline::tell_of_space(Lane& lane) {
  if (lane.waiting_for_space > 0 && lane.has_space()) {
    lane.space.notify_all();  // the first to wake may not fill the room
  }
}

// Tells the engine's thread that a batch may be ready; under the mutex.
void Pipeline::tell_engine() {
  executor_.news.fetch_add(1, std::memory_order_release);
  executor_.wake.notify_one();
}

void Pipeline::cancel(const RequestPtr& request) {
  require_this_process();
  Deliveries ended;
  {
    const Lock lock(mutex_);
    if (request->state == Request::State::kPreparing) {
      request->cancelled = true;
    } else {
      withdraw(request, Outcome::kCancelled, ended);
    }
  }
  deliver(ended);
}

bool Pipeline::is_running(const RequestPtr& request) {
  require_this_process();
  const Lock lock(mutex_);
  return request->state == Request::State::kRunning;
}

// Ends a request that waits in a queue or in a batch; false if it is elsewhere.
bool Pipeline::withdraw(const RequestPtr& request, Outcome outcome, Deliveries& to) {
  Lane& from = lane(request->lane);
  if (request->state == Request::State::kQueued) {
    from.queue.erase(request);
    tell_of_space(from);
  } else if (request->state == Request::State::kInBatch) {
    request->batch->entries[request->entry].dropped = true;
    ++request->batch->dropped;
  } else {
    return false;
  }
  tell_engine();  // its batch may have nothing left to wait for
  end_request(request, outcome, nullptr, to);
  return true;
}

void Pipeline::end_request(const RequestPtr& request, Outcome outcome, FailurePtr failure, Deliveries& to) {
  LaneCounts& counts = lane(request->lane).counts;
  std::uint64_t* const of[] = {&counts.done, &counts.failed, &counts.cancelled, &counts.expired,
                               &counts.closed};
  ++*of[static_cast<int>(outcome)];
  if (request->alarm) {
    deadlines_.erase(*request->alarm);
    request->alarm.reset();
  }
  request->state = Request::State::kDone;
  to.push_back({request, outcome, std::move(failure), nullptr});
}

// Not under the mutex.
void Pipeline::deliver(Deliveries& deliveries) {
  if (deliveries.empty()) {
    return;
  }
  {
    const CallbackScope scope;
    callbacks_->deliver(deliveries);
  }
  const Lock lock(mutex_);
  outstanding_ -= static_cast<std::int64_t>(deliveries.size());
  if (outstanding_ == 0) {
    all_delivered_.notify_all();
  }
}

void Pipeline::begin_close(Closing how) {
  require_this_process();
  Deliveries ended;
  {
    const Lock lock(mutex_);
    accepting_ = false;
    for (const auto& each : lanes_) {
      each->space.notify_all();
    }
    if (how == Closing::kAbort) {
      aborting_ = true;
      for (const auto& each : lanes_) {
        while (!each->queue.empty()) {
          end_request(each->queue.pop(), Outcome::kClosed, nullptr, ended);
        }
        for (const BatchPtr& batch : each->waiting) {
          for (Batch::Entry& entry : batch->entries) {
            withdraw(RequestPtr(entry.request), Outcome::kClosed, ended);
          }
        }
      }
    }
    tell_engine();
  }
  deliver(ended);
}

bool Pipeline::wait_delivered(Time until) {
  require_this_process();
  if (CallbackScope::inside()) {
    throw std::logic_error("a pipeline cannot be closed by one of its own callbacks");
  }
  Lock lock(mutex_);
  const auto all = [this] { return outstanding_ == 0; };
  if (until == Time::max()) {
    all_delivered_.wait(lock, all);
    return true;
  }
  return all_delivered_.wait_until(lock, until, all);
}

void Pipeline::close(Closing how) {
  begin_close(how);
  wait_delivered(Time::max());
  stop_threads();
}

void Pipeline::stop_threads() {
  {
    Lock lock(mutex_);
    if (stopping_) {
      all_delivered_.wait(lock, [this] { return stopped_; });
      return;
    }
    stopping_ = stop_ = true;
    tell_engine();
    executor_.device_wake.notify_one();
    finished_wake_.notify_one();
  }
  workers_->remove(this);
  executor_.thread.join();
  if (executor_.waiter.joinable()) {
    executor_.waiter.join();
  }
  finisher_.join();
  const Lock lock(mutex_);
  stopped_ = true;
  all_delivered_.notify_all();
}

LaneSnapshot Pipeline::snapshot(int index) {
  require_this_process();
  const Lock lock(mutex_);
  const Lane& of = lane(index);
  LaneSnapshot found;
  found.counts = of.counts;
  found.queued = of.queue.size();
  found.preparing = of.preparing;
  found.in_flight = of.in_flight;
  found.in_engine = of.in_engine;
  found.limit = of.limit;
  found.batch_sizes = of.batch_sizes;
  found.device_lost = executor_.lost != nullptr;
  const auto add = [&found](const BatchPtr& batch) {
    found.batch_bytes += batch->memory != nullptr
                             ? static_cast<std::size_t>(batch->capacity * batch->row_bytes)
                             : std::size_t{0};
  };
  std::for_each(of.waiting.begin(), of.waiting.end(), add);
  for (const std::vector<BatchPtr>& batches : of.free) {
    std::for_each(batches.begin(), batches.end(), add);
  }
  return found;
}

std::int64_t Pipeline::engine_nanoseconds() {
  require_this_process();
  const Lock lock(mutex_);
  return executor_.busy;
}

const Histogram& Pipeline::times(int index, Stage stage) const {
  return lanes_.at(static_cast<std::size_t>(index))->times[static_cast<std::size_t>(stage)];
}

std::string Pipeline::trace_events() const {
  std::vector<std::string> names;
  for (const auto& each : lanes_) {
    names.push_back(each->options.name);
  }
  return trace_.events(names);
}

}  // namespace bindrt::pipeline
