// One modality: its queue, the batches that are being filled, and its counts.
#pragma once

#include <algorithm>
#include <array>
#include <condition_variable>
#include <string>

#include "csrc/pipeline/engine.h"
#include "csrc/pipeline/histogram.h"
#include "csrc/pipeline/queue.h"

namespace bindrt::pipeline {

struct LaneOptions {
  std::string name;
  std::vector<LengthClass> classes;          // by ascending length; at least one
  std::int64_t dim = 0;                      // numbers in a vector
  std::int64_t max_batch = 1;                // rows the engine takes at once
  std::int64_t item_rows = 1;                // rows an item is expected to have
  std::size_t queue = 1024;                  // requests that wait before submit refuses
  std::int64_t in_flight = 0;                // rows prepared or in work at once; 0: three batches
  std::chrono::microseconds max_wait{2000};  // for more of a batch, while more is on its way
  std::chrono::microseconds spin{0};         // the engine's thread looks for a next batch before it sleeps
};

enum class Stage { kQueue, kPrepare, kBatch, kEngine, kFinish, kTotal };
inline constexpr std::size_t kStages = 6;

struct LaneCounts {
  std::uint64_t submitted = 0, refused = 0;
  std::uint64_t done = 0, failed = 0, cancelled = 0, expired = 0, closed = 0;
  std::uint64_t batches = 0, rows = 0, engine_calls = 0;
  std::uint64_t splits = 0;          // of batches in which an item made the engine fail
  std::uint64_t halvings = 0;        // of the batch size, out of memory
  std::uint64_t rows_copied = 0;     // made elsewhere, then copied into their slots
  std::uint64_t rows_moved = 0;      // over holes that cancelled or failed items left
  std::uint64_t rows_borrowed = 0;   // run where the caller has them
  std::uint64_t batches_made = 0;    // allocations of batch memory
  std::uint64_t rows_on_device = 0;  // made there
  std::uint64_t bytes_to_device = 0;
  std::uint64_t pictures_decoded = 0;  // on the device
  std::uint64_t films_decoded = 0;     // likewise
};

// Guarded by the pipeline's mutex, but for the histograms, which need none.
struct Lane {
  Lane(int number, LaneOptions given);

  Histogram& time(Stage stage) { return times[static_cast<std::size_t>(stage)]; }
  // Threads that wait for room are woken when an eighth of the queue is free, and not for each request less.
  bool has_space() const noexcept {
    return queue.size() + std::max<std::size_t>(options.queue / 8, 1) <= options.queue;
  }
  bool may_start() const noexcept {
    return in_flight == 0 || in_flight + options.item_rows <= options.in_flight;
  }
  std::int64_t batch_rows() const noexcept { return std::max(options.max_batch, options.item_rows); }
  // Rows with which a batch is full: after the engine ran out of memory, no more than it takes at once.
  std::int64_t full_rows() const noexcept { return limit < options.max_batch ? limit : batch_rows(); }

  const int index;
  LaneOptions options;
  RequestQueue queue;
  std::condition_variable space;  // in the queue
  int waiting_for_space = 0;      // threads
  int preparing = 0;
  std::int64_t in_flight = 0;               // rows
  std::int64_t in_engine = 0;               // rows of batches that the engine or the device has
  std::int64_t limit;                       // rows the engine takes at once, after it ran out of memory
  std::vector<Batch*> open;                 // the one to fill, by length class; may be null
  std::vector<bool> making;                 // a batch of the class is being allocated
  std::condition_variable made;             // and then it is among the free ones
  std::vector<BatchPtr> waiting;            // being filled, or full
  std::vector<std::vector<BatchPtr>> free;  // by length class
  LaneCounts counts;
  std::vector<std::uint64_t> batch_sizes;  // [rows]: how many batches had so many; the last: or more
  std::array<Histogram, kStages> times;
};

}  // namespace bindrt::pipeline
