// From full or ripe batches through the engine to their requests' vectors.

#include <utility>

#include "csrc/pipeline/callback_scope.h"
#include "csrc/pipeline/pipeline.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/vector_problem.h"

namespace bindrt::pipeline {

// A batch goes when it is full, when nothing more for it is on its way, or, if it is not patient, when it has
// waited long enough; never while something is still being written into it. Else `alarm` is when to look
// again.
bool Pipeline::is_ready(const Lane& lane, const Batch& batch, Time now, Time& alarm) const {
  if (batch.pending > 0 || batch.live() == 0) {
    return false;
  }
  if (batch.full || batch.used >= lane.limit) {
    return true;
  }
  if (lane.preparing == 0 && (lane.queue.empty() || !lane.may_start())) {
    return true;
  }
  if (batch.patient) {
    return false;
  }
  const Time ripe = batch.opened + lane.options.max_wait;
  if (now >= ripe) {
    return true;
  }
  alarm = std::min(alarm, ripe);
  return false;
}

// The ready batch of the highest priority, of these the oldest; or null.
Batch* Pipeline::choose(Time now, Time& alarm) {
  Batch* best = nullptr;
  for (const auto& each : lanes_) {
    for (const BatchPtr& batch : each->waiting) {
      if (!is_ready(*each, *batch, now, alarm)) {
        continue;
      }
      if (best == nullptr || batch->priority > best->priority ||
          (batch->priority == best->priority && batch->opened < best->opened)) {
        best = batch.get();
      }
    }
  }
  return best;
}

BatchPtr Pipeline::unlink(Batch* batch) {
  Lane& from = lane(batch->lane);
  if (from.open[batch->length_class] == batch) {
    from.open[batch->length_class] = nullptr;
  }
  const auto found = std::find_if(from.waiting.begin(), from.waiting.end(),
                                  [batch](const BatchPtr& each) { return each.get() == batch; });
  BatchPtr taken = std::move(*found);
  from.waiting.erase(found);
  return taken;
}

// Takes a ready batch for the engine. Requests whose deadline has passed do not go with it.
BatchPtr Pipeline::take(Batch* batch, Time now, Deliveries& to) {
  BatchPtr taken = unlink(batch);
  for (Batch::Entry& entry : taken->entries) {
    if (entry.dropped) {
      continue;
    }
    if (entry.request->deadline && *entry.request->deadline <= now) {
      entry.dropped = true;
      ++taken->dropped;
      end_request(entry.request, Outcome::kExpired, nullptr, to);
      continue;
    }
    entry.request->state = Request::State::kRunning;
    if (entry.request->alarm) {
      deadlines_.erase(*entry.request->alarm);
      entry.request->alarm.reset();
    }
  }
  return taken;
}

// Takes a ready batch and delivers those that are too late for it. The mutex is not locked afterwards. Null
// if all are late: a device would still be at it when all is delivered.
BatchPtr Pipeline::take_for_engine(Lock& lock, Batch* batch, Time now) {
  Deliveries expired;
  BatchPtr over;
  BatchPtr taken = take(batch, now, expired);
  const bool is_dead = taken->live() == 0;
  if (is_dead) {
    over = recycle(std::exchange(taken, nullptr));
  } else {
    taken->handed = taken->used;
    lane(taken->lane).in_engine += taken->handed;
  }
  lock.unlock();
  deliver(expired);
  if (is_dead) {
    workers_->notify();
  }
  return taken;
}

// Takes back batches whose requests are all over; returns whether there were any. Those in `over` are to be
// freed without the mutex.
bool Pipeline::recycle_dead(std::vector<BatchPtr>& over) {
  bool any = false;
  for (const auto& each : lanes_) {
    for (std::size_t i = each->waiting.size(); i-- > 0;) {
      Batch* const batch = each->waiting[i].get();
      if (batch->pending == 0 && batch->live() == 0) {
        over.push_back(recycle(unlink(batch)));
        any = true;
      }
    }
  }
  return any;
}

// A sleeping thread takes many times longer to wake than one that looks for work.
void Pipeline::look_out(std::uint32_t seen, Time until) const noexcept {
  while (executor_.news.load(std::memory_order_acquire) == seen && Clock::now() < until) {
    std::this_thread::yield();  // a thread that just got a result may want this core
  }
}

void Pipeline::execute() {
  Lock lock(mutex_);
  Time awake;  // until when it looks out before it sleeps
  for (;;) {
    std::vector<BatchPtr> over;
    if (recycle_dead(over)) {
      lock.unlock();
      over.clear();
      workers_->notify();
      lock.lock();
      continue;
    }
    if (executor_.guest || executor_.device_busy()) {
      executor_.wake.wait(lock);
      continue;
    }
    if (!executor_.alone.empty()) {
      BatchPtr batch = std::move(executor_.alone.front());
      executor_.alone.pop_front();
      const FailurePtr lost = executor_.lost;
      lock.unlock();
      if (lost == nullptr) {
        run(std::move(batch));
      } else {  // an engine would not find the device either
        const Time began = batch->run_begin;
        end_on_device(std::move(batch), lost, began);
      }
      lock.lock();
      continue;
    }
    Time alarm = Time::max();
    const Time now = Clock::now();
    if (Batch* const batch = choose(now, alarm)) {
      executor_.idle.store(false, std::memory_order_relaxed);  // a guest has left it set
      BatchPtr taken = take_for_engine(lock, batch, now);
      if (taken == nullptr) {
        lock.lock();
        continue;
      }
      executor_.device != nullptr ? start_on_device(std::move(taken)) : run(std::move(taken));
      awake = Clock::now() + executor_.spin;
      lock.lock();
    } else if (stop_) {
      return;
    } else {
      executor_.idle.store(true, std::memory_order_relaxed);
      if (now < awake) {
        const std::uint32_t seen = executor_.news.load(std::memory_order_relaxed);
        lock.unlock();
        look_out(seen, std::min(awake, alarm));
        lock.lock();
      } else if (alarm == Time::max()) {
        executor_.wake.wait(lock);
      } else {
        executor_.wake.wait_until(lock, alarm);
      }
      executor_.idle.store(false, std::memory_order_relaxed);
    }
  }
}

// Not under the mutex. Leaves the hand-over to its thread if the engine has more to do.
void Pipeline::run(BatchPtr batch) {
  Lane& of = lane(batch->lane);
  std::int64_t limit = 0;
  {
    const Lock lock(mutex_);
    limit = of.limit;
  }
  const std::int64_t full_limit = limit;
  const std::int64_t moved = batch->close_holes();
  batch->make_rows();
  batch->run_begin = Clock::now();
  RunCounts counts;
  {
    const CallbackScope scope;
    const auto lost = [this] { return device_loss(); };
    counts = executor_.device == nullptr ? run_batch(*callbacks_, *batch, of.options.dim, limit)
                                         : run_batch(*callbacks_, *batch, of.options.dim, limit, lost);
  }
  batch->run_end = Clock::now();
  trace_.span("engine", batch->lane, batch->run_begin, batch->run_end, batch->number, batch->used);
  Lock lock(mutex_);
  if (limit < full_limit) {
    of.limit = limit;
  }
  of.counts.rows_moved += static_cast<std::uint64_t>(moved);
  count_batch(*batch, batch->run_begin, counts);
  Time alarm = Time::max();
  if (choose(batch->run_end, alarm) != nullptr) {
    finished_.push_back(std::move(batch));
    lock.unlock();
    finished_wake_.notify_one();
  } else {
    lock.unlock();
    finish(std::move(batch));
  }
}

// Under the mutex.
void Pipeline::count_batch(const Batch& batch, Time busy_from, const RunCounts& counts) {
  Lane& of = lane(batch.lane);
  executor_.busy += (batch.run_end - busy_from).count();
  of.in_engine -= batch.handed;
  ++of.counts.batches;
  of.counts.rows += static_cast<std::uint64_t>(batch.used);
  of.counts.engine_calls += static_cast<std::uint64_t>(counts.calls);
  of.counts.splits += static_cast<std::uint64_t>(counts.splits);
  of.counts.halvings += static_cast<std::uint64_t>(counts.halvings);
  ++of.batch_sizes[std::min(static_cast<std::size_t>(batch.used), of.batch_sizes.size() - 1)];
}

void Pipeline::hand_over() {
  Lock lock(mutex_);
  for (;;) {
    if (!finished_.empty()) {
      BatchPtr batch = std::move(finished_.front());
      finished_.erase(finished_.begin());
      lock.unlock();
      finish(std::move(batch));
      lock.lock();
    } else if (stop_) {
      return;
    } else {
      finished_wake_.wait(lock);
    }
  }
}

// The vectors [entries, dim] of a batch: pooled from what the engine wrote, unless a device did it. An entry
// whose vector may not be handed out fails.
const float* Pipeline::pool(Batch& batch, std::int64_t dim) {
  const auto size = static_cast<std::size_t>(dim);
  batch.pooled.resize(batch.entries.size() * size);
  const float* const vectors = batch.from_device != nullptr ? batch.from_device : batch.pooled.data();
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    Batch::Entry& entry = batch.entries[i];
    const Request& request = *entry.request;
    if (entry.failure != nullptr) {
      continue;
    }
    if (batch.from_device == nullptr) {
      const kernels::PoolInput input{batch.output.data() + entry.first * dim,
                                     request.weights.empty() ? nullptr : request.weights.data(), &entry.rows,
                                     1, dim};
      kernels::pool_views(input, {.normalize = request.normalize}, batch.pooled.data() + i * size);
    }
    if (const char* const problem = kernels::vector_problem(vectors + i * size, dim, request.normalize)) {
      entry.failure = make_failure(problem);
    }
  }
  return vectors;
}

// Pools a batch's rows and delivers. Not under the mutex.
void Pipeline::finish(BatchPtr batch) {
  Lane& of = lane(batch->lane);
  const float* const vectors = pool(*batch, of.options.dim);
  store_vectors(*batch, vectors, of.options.dim);
  Deliveries ended;
  {
    const Lock lock(mutex_);
    for (Batch::Entry& entry : batch->entries) {
      const Outcome outcome = entry.failure == nullptr ? Outcome::kDone : Outcome::kFailed;
      end_request(entry.request, outcome, std::move(entry.failure), ended);
    }
  }
  for (std::size_t i = 0; i < ended.size(); ++i) {
    if (ended[i].outcome == Outcome::kDone) {
      ended[i].vector = vectors + i * static_cast<std::size_t>(of.options.dim);
      ended[i].run_begin = batch->run_begin;
      ended[i].run_end = batch->run_end;
    }
  }
  const Time now = Clock::now();  // whoever gets a vector may look at the times next
  of.time(Stage::kEngine).record((batch->run_end - batch->run_begin).count());
  of.time(Stage::kFinish).record((now - batch->run_end).count());
  for (const Delivery& each : ended) {
    of.time(Stage::kBatch).record((batch->run_begin - each.request->prepared).count());
    of.time(Stage::kTotal).record((now - each.request->submitted).count());
  }
  deliver(ended);
  trace_.span("finish", batch->lane, batch->run_end, Clock::now(), batch->number, batch->used);
  bool more = false;
  BatchPtr over;  // freed without the mutex
  {
    const Lock lock(mutex_);
    over = recycle(std::move(batch));
    more = !of.queue.empty();
  }
  if (more) {
    workers_->notify();
  }
}

// Its memory is for the next batch; under the mutex. Returns a batch that nobody can use again, to be freed
// without the mutex: a driver waits for the device before it frees page-locked memory.
BatchPtr Pipeline::recycle(BatchPtr batch) {
  Lane& of = lane(batch->lane);
  of.in_flight -= batch->credit;
  if (batch->single_use) {
    return batch;
  }
  batch->clear();
  of.free[batch->length_class].push_back(std::move(batch));
  return nullptr;
}

}  // namespace bindrt::pipeline
