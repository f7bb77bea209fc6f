// Requests on their way in: one or many into a lane's queue, or rows that are a batch already.

#include <algorithm>
#include <utility>

#include "csrc/pipeline/pipeline.h"

namespace bindrt::pipeline {

Submitted Pipeline::submit(const RequestPtr& request) { return submit_all({&request, 1}).answer; }

Pipeline::Admitted Pipeline::submit_all(std::span<const RequestPtr> requests) {
  require_this_process();
  Lane& to = lane(requests.front()->lane);
  const Time now = Clock::now();
  Admitted admitted;
  std::size_t at_once = 0;  // the first ones, which this thread prepares
  bool queued_work = false;
  bool has_deadline = false;
  {
    const Lock lock(mutex_);
    for (const RequestPtr& request : requests) {
      admitted.answer = admit(to, request, now);
      if (admitted.answer != Submitted::kAccepted) {
        break;
      }
      ++admitted.accepted;
      at_once += request->state == Request::State::kPreparing ? 1 : 0;
      has_deadline = has_deadline || request->deadline;
    }
    queued_work = at_once < admitted.accepted && to.may_start();  // else the one that makes room notifies
  }
  for (const RequestPtr& request : requests.first(at_once)) {
    prepare(to, request, request->by_submitter);
  }
  // A deadline is the workers' to watch; not before it is placed, for while it is prepared they look past it.
  if (queued_work || has_deadline) {
    workers_->notify();
  }
  return admitted;
}

// Under the mutex. The request is queued, or being prepared by this thread.
Submitted Pipeline::admit(Lane& to, const RequestPtr& request, Time now) {
  if (!accepting_) {
    return Submitted::kClosed;
  }
  if (to.queue.size() >= to.options.queue) {
    ++to.counts.refused;
    return Submitted::kFull;
  }
  accept(to, request, now);
  if ((request->ready || request->by_submitter) && to.queue.empty() && to.may_start()) {
    start(to, request, now);
  } else {
    request->state = Request::State::kQueued;
    to.queue.push(request);
  }
  return Submitted::kAccepted;
}

// Under the mutex.
void Pipeline::accept(Lane& to, const RequestPtr& request, Time now) {
  ++to.counts.submitted;
  ++outstanding_;
  request->submitted = now;
  if (request->deadline) {
    request->alarm = deadlines_.emplace(*request->deadline, request);
  }
}

Submitted Pipeline::submit_batch(std::span<const RequestPtr> requests, const Ready& rows,
                                 std::span<const std::int64_t> counts) {
  require_this_process();
  const RequestPtr& first = requests.front();
  Lane& to = lane(first->lane);
  const std::vector<LengthClass>& classes = to.options.classes;
  const auto fits = [&rows](const LengthClass& each) { return each.length >= rows.length; };
  const auto held = std::find_if(classes.begin(), classes.end(), fits);
  if (held == classes.end()) {
    throw std::invalid_argument("rows are too long");
  }
  const auto length_class = static_cast<std::size_t>(held - classes.begin());
  const LengthClass exact{rows.length, rows.row_bytes};
  auto batch = std::make_unique<Batch>(to.index, length_class, exact, rows.rows, to.options.dim, rows.data,
                                       executor_.device);
  batch->full = batch->single_use = true;
  batch->entries.reserve(requests.size());
  bool has_deadline = false;
  {
    const Lock lock(mutex_);
    if (!accepting_) {
      return Submitted::kClosed;
    }
    to.waiting.reserve(to.waiting.size() + 1);
    batch->opened = Clock::now();
    batch->number = ++batch_number_;
    batch->priority = first->priority;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const RequestPtr& request = requests[i];
      accept(to, request, batch->opened);
      request->started = request->prepared = batch->opened;
      request->state = Request::State::kInBatch;
      request->batch = batch.get();
      request->entry = i;
      batch->entries.push_back({request, batch->used, counts[i], false, nullptr, nullptr});
      batch->used += counts[i];
      has_deadline = has_deadline || request->deadline;
    }
    batch->credit = batch->used;
    to.in_flight += batch->used;
    to.counts.rows_borrowed += static_cast<std::uint64_t>(batch->used);
    to.waiting.push_back(std::move(batch));
    if (!first->by_submitter) {
      tell_engine();
    }
  }
  if (has_deadline) {
    workers_->notify();
  }
  return Submitted::kAccepted;
}

// The engine's own thread is not woken for what this thread does at once.
void Pipeline::run_here(std::uint64_t caller) {
  require_this_process();
  Lock lock(mutex_);
  const auto is_own = [caller](const Batch::Entry& entry) { return entry.request->caller == caller; };
  const bool is_free = executor_.device == nullptr && idle() && !executor_.guest && executor_.alone.empty();
  if (is_free) {
    executor_.guest = true;
    for (;;) {
      Time alarm = Time::max();
      const Time now = Clock::now();
      Batch* const batch = choose(now, alarm);
      if (batch == nullptr || std::none_of(batch->entries.begin(), batch->entries.end(), is_own)) {
        break;
      }
      executor_.idle.store(false, std::memory_order_relaxed);
      BatchPtr taken = take_for_engine(lock, batch, now);
      if (taken != nullptr) {
        run(std::move(taken));
      }
      lock.lock();
    }
    executor_.guest = false;
    executor_.idle.store(true, std::memory_order_relaxed);
  }
  const auto has_batches = [](const auto& each) { return !each->waiting.empty(); };
  if (stop_ || std::any_of(lanes_.begin(), lanes_.end(), has_batches)) {
    tell_engine();
  }
}

bool Pipeline::wait_for_room(int index, Time until) {
  require_this_process();
  Lane& to = lane(index);
  Lock lock(mutex_);
  if (accepting_ && to.queue.size() < to.options.queue) {
    return true;
  }
  ++to.waiting_for_space;
  to.space.wait_until(lock, until, [&] { return !accepting_ || to.has_space(); });
  --to.waiting_for_space;
  return accepting_ && to.queue.size() < to.options.queue;
}

}  // namespace bindrt::pipeline
