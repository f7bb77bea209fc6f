// One item on its way through the pipeline, and what becomes of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/base/decoded.h"

namespace bindrt::pipeline {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

struct Batch;

// Why something did not work. `cause` is what the callback that failed wants to see again.
struct Failure {
  std::string message;
  std::shared_ptr<void> cause;
};
using FailurePtr = std::shared_ptr<const Failure>;

inline FailurePtr make_failure(std::string message) {
  return std::make_shared<const Failure>(Failure{std::move(message), nullptr});
}

enum class Outcome {
  kDone,       // the vector is there
  kFailed,     // with a Failure
  kCancelled,  // by cancel()
  kExpired,    // its deadline passed before the engine had it
  kClosed,     // the pipeline was closed
};

// Input that needs no preprocessing. Its memory must stay until the request is delivered.
struct Ready {
  const void* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t row_bytes = 0;  // from one row to the next
  std::int64_t length = 0;     // of the longest row, for lanes with length classes
  std::shared_ptr<const kernels::Decoded> decoded = nullptr;  // instead of `data`: a device makes the rows
};

struct Request {
  // Set by the submitter, and not changed once it is submitted.
  int lane = 0;
  int priority = 0;          // higher goes first
  std::uint64_t caller = 0;  // callers take turns
  std::optional<Time> deadline;
  bool normalize = true;
  bool patient = false;       // one of many that are wanted together: its batch goes when it is full, or last
  bool by_submitter = false;  // the thread that submits it prepares it if it can, and calls run_here() then
  std::shared_ptr<void> tag;  // whatever the submitter wants to find again
  std::optional<Ready> ready;
  std::uint64_t target = 0;  // address on the device where its vector goes too; 0: none

  // Set by the pipeline, whose mutex guards it.
  enum class State { kNew, kQueued, kPreparing, kInBatch, kRunning, kDone };
  State state = State::kNew;
  bool cancelled = false;      // while being prepared; the preparing thread then drops it
  Batch* batch = nullptr;      // from its reservation on
  std::size_t entry = 0;       // in the batch
  std::vector<float> weights;  // of its rows in the mean; empty: all equal
  std::list<std::shared_ptr<Request>>::iterator queued_at;                       // in its queue
  std::optional<std::multimap<Time, std::shared_ptr<Request>>::iterator> alarm;  // for its deadline
  Time submitted, started, prepared;
};
using RequestPtr = std::shared_ptr<Request>;

// The end of a request. `vector` [dim] is valid during the call of Callbacks::deliver only.
struct Delivery {
  RequestPtr request;
  Outcome outcome = Outcome::kDone;
  FailurePtr failure;
  const float* vector = nullptr;
  Time run_begin = {}, run_end = {};  // of the engine, for its batch; only where there is a vector
};

}  // namespace bindrt::pipeline
