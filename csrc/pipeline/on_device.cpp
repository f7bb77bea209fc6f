// Batches that run on a device: the engine's thread starts them, several one after the other; a second thread
// waits for each and hands it over.

#include <exception>
#include <new>
#include <utility>

#include "csrc/pipeline/callback_scope.h"
#include "csrc/pipeline/pipeline.h"

namespace bindrt::pipeline {
namespace {

// How a call of a device went.
struct Answer {
  enum class Kind { kGood, kFailed, kOutOfMemory, kLost };
  Kind kind = Kind::kGood;
  FailurePtr failure;  // if it is lost
};

template <class Call>
Answer ask(const Call& call) noexcept {
  const CallbackScope scope;
  try {
    call();
    return {};
  } catch (const DeviceLost& error) {
    return {Answer::Kind::kLost, make_failure(error.what())};
  } catch (const std::bad_alloc&) {
    return {Answer::Kind::kOutOfMemory, nullptr};
  } catch (...) {  // the engine, run alone, says what is wrong
    return {Answer::Kind::kFailed, nullptr};
  }
}

}  // namespace

// Not under the mutex. Batches on which the device failed go to the engine alone, which narrows the culprits
// down. Once the device is lost neither is asked.
void Pipeline::start_on_device(BatchPtr batch) {
  Lane& of = lane(batch->lane);
  const std::int64_t moved = batch->close_holes();
  std::int64_t limit = 0;
  FailurePtr lost;
  {
    const Lock lock(mutex_);
    of.counts.rows_moved += static_cast<std::uint64_t>(moved);
    limit = of.limit;
    lost = executor_.lost;
  }
  std::int64_t made_there = 0;
  for (const Batch::Entry& entry : batch->entries) {
    made_there += entry.decoded == nullptr ? 0 : entry.rows;
  }
  Device::Started started;
  batch->run_begin = Clock::now();
  Answer answer;
  if (lost != nullptr) {
    answer = {Answer::Kind::kLost, lost};
  } else {
    answer = ask([&] { started = executor_.device->start(*batch, limit); });
  }
  Lock lock(mutex_);
  switch (answer.kind) {
    case Answer::Kind::kGood:
      of.counts.rows_on_device += static_cast<std::uint64_t>(made_there);
      of.counts.bytes_to_device += started.copied;
      batch->device_calls = started.calls;
      executor_.started.push_back(std::move(batch));
      ++executor_.on_device;
      executor_.device_wake.notify_one();
      return;
    case Answer::Kind::kOutOfMemory:
      if (const std::int64_t at_once = std::min(batch->used, limit); at_once > 1) {
        of.limit = std::min(of.limit, at_once / 2);
        ++of.counts.halvings;
      }
      [[fallthrough]];
    case Answer::Kind::kFailed:
      executor_.alone.push_back(std::move(batch));
      return;
    case Answer::Kind::kLost: {
      executor_.lost = answer.failure;
      lock.unlock();
      const Time began = batch->run_begin;  // not in the call: the argument beside it may be moved from first
      end_on_device(std::move(batch), answer.failure, began);
      return;
    }
  }
}

// The waiter's thread.
void Pipeline::wait_for_device() {
  Time last_end;  // of the batch before: while two overlap the device is busy once
  Lock lock(mutex_);
  for (;;) {
    if (executor_.started.empty()) {
      if (stop_) {
        return;
      }
      executor_.device_wake.wait(lock);
      continue;
    }
    BatchPtr batch = std::move(executor_.started.front());
    executor_.started.pop_front();
    lock.unlock();
    const Answer answer = ask([&] { batch->from_device = executor_.device->wait(); });
    const Time end = Clock::now();
    if (answer.kind == Answer::Kind::kLost) {
      lock.lock();
      executor_.lost = answer.failure;
      lock.unlock();
    }
    if (answer.kind == Answer::Kind::kGood || answer.kind == Answer::Kind::kLost) {
      const Time busy_from = std::max(batch->run_begin, last_end);
      end_on_device(std::move(batch), answer.failure, busy_from);
    }
    last_end = end;
    lock.lock();
    if (batch != nullptr) {
      executor_.alone.push_back(std::move(batch));
    }
    --executor_.on_device;
    tell_engine();
  }
}

// Why nothing can run any more; null if the device is there. The first to see it tells all.
FailurePtr Pipeline::device_loss() {
  const Answer answer = ask([&] { executor_.device->require(); });
  if (answer.kind != Answer::Kind::kLost) {
    return nullptr;
  }
  const Lock lock(mutex_);
  executor_.lost = answer.failure;
  return answer.failure;
}

// Hands a batch over whose vectors the device has, or none of whose requests gets one. Not under the mutex.
void Pipeline::end_on_device(BatchPtr batch, const FailurePtr& failure, Time busy_from) {
  batch->run_end = Clock::now();
  for (Batch::Entry& entry : batch->entries) {
    entry.failure = failure;
  }
  trace_.span("engine", batch->lane, batch->run_begin, batch->run_end, batch->number, batch->used);
  {
    const Lock lock(mutex_);
    RunCounts counts;
    counts.calls = std::max<std::int64_t>(batch->device_calls, 1);
    count_batch(*batch, busy_from, counts);
  }
  finish(std::move(batch));
}

// Not under the mutex.
std::shared_ptr<const kernels::Decoded> Pipeline::decode(Lane& lane, const kernels::EncodedPicture& picture) {
  std::shared_ptr<const kernels::Decoded> decoded;
  {
    const Workers::Waiting waiting(*workers_);
    decoded = executor_.device->decode(picture);
  }
  if (decoded != nullptr) {
    const Lock lock(mutex_);
    ++lane.counts.pictures_decoded;
  }
  return decoded;
}

void Pipeline::count_film(Lane& lane) {
  const Lock lock(mutex_);
  ++lane.counts.films_decoded;
}

// Vectors that requests want on the device, where the device has not written them. Not under the mutex.
void Pipeline::store_vectors(Batch& batch, const float* vectors, std::int64_t dim) {
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    Batch::Entry& entry = batch.entries[i];
    const bool is_there = batch.from_device != nullptr && entry.failure == nullptr;
    if (entry.request->target == 0 || is_there) {
      continue;
    }
    const float* const vector =
        entry.failure == nullptr ? vectors + i * static_cast<std::size_t>(dim) : nullptr;
    try {
      executor_.device->store(entry.request->target, vector, dim);
    } catch (const std::exception& error) {
      if (entry.failure == nullptr) {
        entry.failure = make_failure(error.what());
      }
    }
  }
}

}  // namespace bindrt::pipeline
