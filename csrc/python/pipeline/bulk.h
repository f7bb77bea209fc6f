// Items of one call that are answered together: each vector goes into a row of one array, written by the
// thread that has it, without the interpreter.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "csrc/pipeline/pipeline.h"
#include "csrc/python/prepare/ordinary_preparer.h"

namespace bindrt {

struct PythonTag;

class Bulk {
 public:
  using Span = std::pair<std::int64_t, std::int64_t>;

  // `rows` is float32 [N, dim] for N items, and stays what it is for those that end without a vector. The
  // vectors go to `target` too, a DeviceArray of the same shape, or None.
  Bulk(pybind11::list items, pybind11::array rows, pybind11::object target);
  Bulk(const Bulk&) = delete;
  Bulk& operator=(const Bulk&) = delete;
  ~Bulk();  // in any thread

  // Under the GIL.
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(requests_.size()); }
  // Where on the device an item's vector goes; 0: nowhere.
  std::uint64_t target(std::int64_t index) const noexcept {
    return target_ == 0 ? 0 : target_ + static_cast<std::uint64_t>(index * dim_) * sizeof(float);
  }
  pybind11::object item(std::int64_t index) const;
  void note(std::int64_t index, pybind11::object notes);
  pybind11::dict take_notes();
  // What ended without a vector since the last call: (index, outcome, error).
  pybind11::list take_ended();
  // When its items were prepared, and when the engine had them, each from the first to the last so far, in
  // nanoseconds of the monotonic clock: ((begin, end), (begin, end)). None if no item has a vector yet.
  std::optional<std::pair<Span, Span>> stages() const;
  // Calls `wake` once, in any thread, when wait() would return; false if it would already.
  bool call_when(std::int64_t most, pybind11::object wake);
  // A pipeline that requests are submitted to stays.
  void keep(const pybind11::object& pipeline);

  // In any thread, without the GIL: requests that are about to be submitted to a pipeline; and those of them
  // that it did not take.
  struct Place {
    std::int64_t index;
    pipeline::RequestPtr request;
  };
  void expect(pipeline::Pipeline& core, std::span<const Place> places);
  void take_back(std::span<const Place> places);

  void deliver(const pipeline::Delivery& delivery, PythonTag& tag) noexcept;
  // Waits until at most `most` requests are open, something ended without a vector, or `until`. Returns
  // whether one of the first two is so.
  bool wait(pipeline::Time until, std::int64_t most);
  std::int64_t open() const;
  // Nobody wants the items behind this one any more.
  void cancel_after(std::int64_t index);
  bool is_wanted(std::int64_t index) const;

 private:
  struct Open {
    pipeline::RequestPtr request;  // null: not submitted yet, or over
    pipeline::Pipeline* core = nullptr;
  };
  struct Ended {
    std::int64_t index;
    pipeline::Outcome outcome;
    pipeline::FailurePtr failure;
  };
  bool has_news() const { return open_ <= most_ || !ended_.empty(); }

  // Python's objects, touched and freed under the GIL.
  struct Held {
    pybind11::list items;
    pybind11::array rows;
    pybind11::object target;
    std::vector<pybind11::object> pipelines;
    pybind11::dict notes;
  };
  std::unique_ptr<Held> held_;
  float* vectors_;
  std::int64_t dim_;
  std::uint64_t target_ = 0;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<Open> requests_;
  std::vector<Ended> ended_;
  std::vector<pybind11::object> spent_;
  std::vector<std::pair<std::int64_t, Notes>> prepared_notes_;
  std::optional<std::pair<Span, Span>> stages_;
  std::int64_t open_ = 0;
  std::int64_t most_ = -1;  // that the one who waits wants open
  std::int64_t last_wanted_;
  std::shared_ptr<pybind11::object> wake_;
};

}  // namespace bindrt
