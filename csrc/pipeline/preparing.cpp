// From the queue into rows of a batch: what worker threads do, and submitters of ready input.

#include <cstring>
#include <exception>
#include <string>
#include <utility>

#include "csrc/pipeline/callback_scope.h"
#include "csrc/pipeline/pipeline.h"

namespace bindrt::pipeline {

class Pipeline::BatchRows final : public ItemRows {
 public:
  BatchRows(Pipeline& pipeline, Lane& lane, const RequestPtr& request)
      : pipeline_(pipeline), lane_(lane), request_(request) {}

  void* reserve(std::int64_t rows, std::int64_t length) override { return at(nullptr, rows, length); }

  void borrow(const void* data, std::int64_t rows, std::int64_t length) override {
    at(data, rows, length);
    if (lane_.options.classes[class_].length != length) {
      throw std::invalid_argument("borrowed rows must have the length of a class");
    }
  }

  // Where it is no more than the rows, or little.
  std::shared_ptr<std::byte> room(std::size_t bytes, std::int64_t rows) override {
    const std::int64_t most = std::max(kLittleRoom, rows * lane_.options.classes.front().row_bytes);
    Device* const device = pipeline_.executor_.device.get();
    return device == nullptr || bytes > static_cast<std::size_t>(most) ? nullptr : device->room(bytes);
  }

  bool may_decode(kernels::PictureCoding coding, std::int64_t pixels) const override {
    const Device* const device = pipeline_.executor_.device.get();
    return device != nullptr && device->may_decode(coding, pixels);
  }
  std::shared_ptr<const kernels::Decoded> decode(const kernels::EncodedPicture& picture) override {
    return pipeline_.decode(lane_, picture);
  }

  std::unique_ptr<kernels::DeviceFilm> film(const kernels::FilmSize& size) override {
    Device* const device = pipeline_.executor_.device.get();
    return device == nullptr ? nullptr : device->film(size);
  }
  void count_film() override { pipeline_.count_film(lane_); }

  void leave(std::shared_ptr<const kernels::Decoded> item) override {
    pipeline_.leave(request_, std::move(item));
  }

  void count_copied(std::int64_t rows) override { pipeline_.count_copied(lane_, rows); }
  void weigh(std::vector<float> weights) override { request_->weights = std::move(weights); }
  std::int64_t row_bytes() const override { return lane_.options.classes[class_].row_bytes; }
  std::int64_t length_of_rows() const override { return lane_.options.classes[class_].length; }

  std::int64_t reserved() const noexcept { return rows_; }

 private:
  void* at(const void* borrowed, std::int64_t rows, std::int64_t length) {
    if (rows < 1) {
      throw std::invalid_argument("at least one row is reserved");
    }
    if (rows_ > 0) {
      pipeline_.give_up(request_, rows_);
      rows_ = 0;
      class_ = 0;
    }
    const std::vector<LengthClass>& classes = lane_.options.classes;
    while (classes[class_].length < length) {
      if (++class_ == classes.size()) {
        throw std::invalid_argument("an input of length " + std::to_string(length) + " is too long");
      }
    }
    void* const where = pipeline_.reserve(request_, borrowed, rows, class_);
    rows_ = rows;
    return where;
  }

  Pipeline& pipeline_;
  Lane& lane_;
  const RequestPtr& request_;
  std::size_t class_ = 0;
  std::int64_t rows_ = 0;
};

// The lane whose first request has the highest priority; lanes of the same take turns.
Lane* Pipeline::next_startable() {
  Lane* best = nullptr;
  std::size_t best_at = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const std::size_t at = (turn_ + i) % lanes_.size();
    Lane& each = *lanes_[at];
    if (each.queue.empty() || !each.may_start()) {
      continue;
    }
    if (best == nullptr || each.queue.top_priority() > best->queue.top_priority()) {
      best = &each;
      best_at = at;
    }
  }
  if (best != nullptr) {
    turn_ = best_at + 1;
  }
  return best;
}

// Under the mutex.
void Pipeline::expire(Time now, Deliveries& to) {
  for (auto first = deadlines_.begin(); first != deadlines_.end() && first->first <= now;) {
    const RequestPtr late = first->second;
    ++first;
    withdraw(late, Outcome::kExpired, to);
  }
}

bool Pipeline::look() {
  Deliveries expired;
  {
    const Lock lock(mutex_);
    expire(Clock::now(), expired);
  }
  deliver(expired);
  return !expired.empty();
}

bool Pipeline::work() {
  RequestPtr request;
  Deliveries expired;
  bool more = false;
  {
    const Lock lock(mutex_);
    const Time now = Clock::now();
    expire(now, expired);
    if (Lane* const from = next_startable()) {
      request = from->queue.pop();
      tell_of_space(*from);
      start(*from, request, now);
      more = next_startable() != nullptr;
    }
  }
  deliver(expired);
  if (more) {
    workers_->notify();
  }
  if (request != nullptr) {
    prepare(lane(request->lane), request, false);
  }
  return request != nullptr || !expired.empty();
}

Time Pipeline::next_alarm() {
  const Lock lock(mutex_);
  for (const auto& [deadline, request] : deadlines_) {
    if (request->state != Request::State::kPreparing) {  // its thread looks at the deadline when it is done
      return deadline;
    }
  }
  return Time::max();
}

void Pipeline::start(Lane& lane, const RequestPtr& request, Time now) {
  request->state = Request::State::kPreparing;
  request->started = now;
  ++lane.preparing;
  lane.in_flight += lane.options.item_rows;
}

// Not under the mutex.
void Pipeline::prepare(Lane& lane, const RequestPtr& request, bool runs_here) {
  BatchRows rows(*this, lane, request);
  FailurePtr failure = fill(request, lane, rows);
  if (failure == nullptr && rows.reserved() == 0) {
    failure = make_failure("nothing was prepared");
  }
  trace_.span("prepare", request->lane, request->started, Clock::now(), request->caller, rows.reserved());
  commit(lane, request, std::move(failure), runs_here);
}

FailurePtr Pipeline::fill(const RequestPtr& request, Lane& lane, BatchRows& rows) {
  const CallbackScope scope;
  try {
    if (!request->ready) {
      return callbacks_->prepare(*request, rows);
    }
    write_ready(*request->ready, lane, rows);
    return nullptr;
  } catch (const std::exception& error) {
    return make_failure(error.what());
  } catch (...) {
    return make_failure("preparing failed");
  }
}

void Pipeline::write_ready(const Ready& ready, Lane& lane, BatchRows& rows) {
  if (ready.decoded != nullptr) {
    rows.reserve(ready.rows, ready.length);
    rows.leave(ready.decoded);
    return;
  }
  const std::vector<LengthClass>& classes = lane.options.classes;
  const bool fits = std::any_of(classes.begin(), classes.end(), [&ready](const LengthClass& each) {
    return each.length == ready.length && each.row_bytes == ready.row_bytes;
  });
  if (fits && ready.rows >= lane.options.max_batch) {
    rows.borrow(ready.data, ready.rows, ready.length);
    return;
  }
  auto* to = static_cast<std::byte*>(rows.reserve(ready.rows, ready.length));
  const auto* from = static_cast<const std::byte*>(ready.data);
  if (ready.row_bytes < rows.row_bytes()) {
    throw std::invalid_argument("rows are shorter than the engine's");
  }
  for (std::int64_t row = 0; row < ready.rows; ++row) {
    std::memcpy(to, from, static_cast<std::size_t>(rows.row_bytes()));
    to += rows.row_bytes();
    from += ready.row_bytes;
  }
}

std::byte* Pipeline::reserve(const RequestPtr& request, const void* borrowed, std::int64_t rows,
                             std::size_t length_class) {
  Lock lock(mutex_);
  Lane& in = lane(request->lane);
  Batch* found = nullptr;
  if (borrowed != nullptr || rows > in.batch_rows()) {
    found = &own_batch(lock, in, length_class, rows, borrowed);
  } else {
    while ((found = batch_for(in, length_class, rows)) == nullptr) {
      make_free_batch(lock, in, length_class);
    }
  }
  Batch& batch = *found;
  if (batch.entries.empty()) {
    batch.opened = Clock::now();
    batch.priority = request->priority;
    batch.patient = true;
  }
  batch.patient = batch.patient && request->patient;
  batch.entries.push_back({request, batch.used, rows, false, nullptr, nullptr});
  request->batch = &batch;
  request->entry = batch.entries.size() - 1;
  std::byte* const where = borrowed != nullptr ? nullptr : batch.row(batch.used);
  batch.used += rows;
  batch.credit += rows;
  batch.priority = std::max(batch.priority, request->priority);
  ++batch.pending;
  in.in_flight += rows - in.options.item_rows;
  if (borrowed != nullptr) {
    in.counts.rows_borrowed += static_cast<std::uint64_t>(rows);
  } else if (request->ready && request->ready->decoded == nullptr) {
    in.counts.rows_copied += static_cast<std::uint64_t>(rows);
  }
  return where;
}

// Undoes reserve(), but the rows stay a hole in the batch.
void Pipeline::give_up(const RequestPtr& request, std::int64_t rows) {
  const Lock lock(mutex_);
  Lane& in = lane(request->lane);
  Batch& batch = *std::exchange(request->batch, nullptr);
  batch.entries[request->entry].dropped = true;
  ++batch.dropped;
  --batch.pending;
  batch.credit -= rows;
  in.in_flight -= rows - in.options.item_rows;
  executor_.wake.notify_one();
}

void Pipeline::leave(const RequestPtr& request, std::shared_ptr<const kernels::Decoded> item) {
  const Lock lock(mutex_);
  request->batch->entries[request->entry].decoded = std::move(item);
}

void Pipeline::count_copied(Lane& lane, std::int64_t rows) {
  const Lock lock(mutex_);
  lane.counts.rows_copied += static_cast<std::uint64_t>(rows);
}

// The batch to put rows in: the open one of the class, or a free one if they do not fit; null if one must be
// made. Under the mutex.
Batch* Pipeline::batch_for(Lane& lane, std::size_t length_class, std::int64_t rows) {
  Batch*& open = lane.open[length_class];
  if (open != nullptr) {
    if (open->used + rows <= lane.full_rows()) {
      return open;
    }
    open->full = true;
    tell_engine();
    open = nullptr;
  }
  std::vector<BatchPtr>& free = lane.free[length_class];
  if (free.empty()) {
    return nullptr;
  }
  lane.waiting.reserve(lane.waiting.size() + 1);
  BatchPtr batch = std::move(free.back());
  free.pop_back();
  open = &place(lane, std::move(batch), false);
  return open;
}

// Under the mutex; there is room in `waiting`.
Batch& Pipeline::place(Lane& lane, BatchPtr batch, bool own) {
  batch->number = ++batch_number_;
  batch->full = batch->single_use = own;
  lane.waiting.push_back(std::move(batch));
  return *lane.waiting.back();
}

// A batch for rows that no other could hold, or that are borrowed.
Batch& Pipeline::own_batch(Lock& lock, Lane& lane, std::size_t length_class, std::int64_t rows,
                           const void* borrowed) {
  lock.unlock();
  auto made = std::make_unique<Batch>(lane.index, length_class, lane.options.classes[length_class], rows,
                                      lane.options.dim, borrowed, executor_.device);
  lock.lock();
  lane.counts.batches_made += borrowed == nullptr ? 1 : 0;
  lane.waiting.reserve(lane.waiting.size() + 1);
  return place(lane, std::move(made), true);
}

// Allocates a free batch, or waits for the thread that does. Without the mutex meanwhile: page-locked memory
// takes the driver milliseconds.
void Pipeline::make_free_batch(Lock& lock, Lane& lane, std::size_t length_class) {
  if (lane.making[length_class]) {
    lane.made.wait(lock);
    return;
  }
  lane.making[length_class] = true;
  lock.unlock();
  BatchPtr made;
  std::exception_ptr problem;
  try {
    made = std::make_unique<Batch>(lane.index, length_class, lane.options.classes[length_class],
                                   lane.batch_rows(), lane.options.dim, nullptr, executor_.device);
  } catch (...) {
    problem = std::current_exception();
  }
  lock.lock();
  lane.making[length_class] = false;
  lane.made.notify_all();  // if it failed, the next one tries
  if (problem != nullptr) {
    std::rethrow_exception(problem);
  }
  ++lane.counts.batches_made;
  lane.free[length_class].push_back(std::move(made));
}

// Ends preparing: from now on the request waits in its batch, or it is over. The engine's thread is not told
// if this thread `runs_here` next.
void Pipeline::commit(Lane& lane, const RequestPtr& request, FailurePtr failure, bool runs_here) {
  Deliveries ended;
  bool more = false;
  {
    const Lock lock(mutex_);
    const Time now = Clock::now();
    lane.time(Stage::kQueue).record((request->started - request->submitted).count());
    lane.time(Stage::kPrepare).record((now - request->started).count());
    --lane.preparing;
    Batch* const batch = request->batch;
    if (batch != nullptr) {
      --batch->pending;
    }
    const bool late = request->deadline && *request->deadline <= now;
    if (failure == nullptr && !aborting_ && !request->cancelled && !late) {
      request->state = Request::State::kInBatch;
      request->prepared = now;
    } else {
      if (batch != nullptr) {
        batch->entries[request->entry].dropped = true;
        ++batch->dropped;
      } else {
        lane.in_flight -= lane.options.item_rows;
      }
      const Outcome outcome = aborting_            ? Outcome::kClosed
                              : request->cancelled ? Outcome::kCancelled
                              : failure != nullptr ? Outcome::kFailed
                                                   : Outcome::kExpired;
      end_request(request, outcome, outcome == Outcome::kFailed ? std::move(failure) : nullptr, ended);
    }
    if (!runs_here) {
      executor_.news.fetch_add(1, std::memory_order_release);
    }
    more = !lane.queue.empty() && lane.may_start();  // it may have had fewer rows than expected
  }
  if (!runs_here) {
    executor_.wake.notify_one();  // not under the mutex, which the woken thread wants first
  }
  if (more) {
    workers_->notify();
  }
  deliver(ended);
}

}  // namespace bindrt::pipeline
