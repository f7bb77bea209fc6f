// The pipeline's callbacks as Python functions.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "csrc/gpu/batch_device.h"
#include "csrc/gpu/lent_rows.h"
#include "csrc/pipeline/pipeline.h"
#include "csrc/python/pipeline/bulk.h"
#include "csrc/python/pipeline/future.h"
#include "csrc/python/pipeline/lanes.h"

namespace bindrt {

// What a Python submitter attaches to a request. Python's objects are touched with the interpreter attached,
// by the request's owner only, and gone once it is delivered, so that the last owner's thread needs no
// interpreter to free it.
struct PythonTag {
  pybind11::object future;
  pybind11::object item;
  pybind11::object memory;  // that ready or borrowed input lies in
  LateWaiters waiters;
  std::optional<OrdinaryItem> ordinary;  // the item, if it looked ordinary when it was submitted
  Notes notes;                           // of an item that was prepared without Python
  std::string refused;                   // a video that the device has to decode, and why it does not
  // Instead of a future, an item and waiters: the item's place in a bulk.
  std::shared_ptr<Bulk> bulk;
  std::int64_t index = 0;
  std::shared_ptr<const std::vector<std::int64_t>> ids;  // ready rows of the request and its neighbours

  // Moves Python's objects to where they are freed with the interpreter attached; needs none itself.
  void move_objects(std::vector<pybind11::object>& to) {
    for (pybind11::object* const each : {&future, &item, &memory}) {
      if (*each) {
        to.push_back(std::move(*each));
      }
    }
    if (ordinary) {
      std::move(ordinary->owners.begin(), ordinary->owners.end(), std::back_inserter(to));
      ordinary->owners.clear();
    }
  }

  void clear() {
    future = item = memory = pybind11::object();
    if (ordinary) {
      ordinary->owners.clear();
    }
  }
};

// Raises KeyboardInterrupt if there was one in this thread while it ran batches for others.
void raise_interrupt();

// Python's object, for owners in any thread.
std::shared_ptr<pybind11::object> held_object(pybind11::object object);

// The exception itself, or what is wrong as a str; None for no failure.
pybind11::object error_of(const pipeline::FailurePtr& failure);

// Rows that the device copies itself.
inline pipeline::Ready ready_on_device(std::shared_ptr<const gpu::LentRows> rows) {
  const std::int64_t count = rows->layout().rows;
  return {nullptr, count, 0, 0, std::move(rows)};
}

// What the device does of preparing.
struct DeviceParts {
  bool makes_rows = false;   // of ordinary items
  bool decodes_all = false;  // ordinary videos that it refuses are an error
};

class PythonCalls final : public pipeline::Callbacks {
 public:
  // prepare(lane, item, rows), which writes into rows.reserve(...); run(lane, inputs, out); what
  // they raise fails the request or the batch, and MemoryError from run halves the batch. deliver([(future,
  // outcome, error, vector)]) has the requests of a batch whose futures were not set already: see settle().
  // For a GPU, enqueue(shape, source, target, stream, kept), see EngineWork; else it is None. refused(video,
  // why) has the videos that it was to decode and that are decoded here; None: nobody wants to know.
  PythonCalls(std::vector<LaneArrays> lanes, pybind11::object prepare, pybind11::object run,
              pybind11::object deliver, pybind11::object enqueue, pybind11::object refused,
              const DeviceParts& device);
  ~PythonCalls() override;

  pipeline::FailurePtr prepare(const pipeline::Request& request, pipeline::ItemRows& rows) override;
  pipeline::EngineResult run(const pipeline::EngineCall& call) override;
  void deliver(std::span<const pipeline::Delivery> deliveries) noexcept override;
  void enqueue(const gpu::EngineWork& work) const;
  void tell_refused(const std::string& video, const char* why) const;  // without the GIL

  // Under the GIL: what of an item its preparer needs, if it may be an ordinary one.
  std::optional<OrdinaryItem> read_ordinary(int lane, const pybind11::handle& item) const;
  // Under the GIL: rows of an item that is on the pipeline's device already; null for any other. ValueError
  // if they are not the lane's.
  std::shared_ptr<const gpu::LentRows> read_lent(int lane, const pybind11::handle& item) const;
  bool has_device() const { return !enqueue_.is_none(); }
  // Nobody waits for what is being prepared any more.
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }

  const LaneArrays& lane(int index) const { return lanes_.at(static_cast<std::size_t>(index)); }

  std::vector<int> alike() const;  // under the GIL: see BatchDeviceOptions
  std::vector<pybind11::ssize_t> shape(int lane, std::int64_t length, std::int64_t count) const;
  // Rows in memory of the pipeline's, as an array that does not own it.
  pybind11::array rows(int lane, std::int64_t length, std::int64_t count, void* data) const;

 private:
  bool prepare_ordinary(PythonTag& tag, int lane, pipeline::ItemRows& rows) const;
  void deliver_futures(std::span<const pipeline::Delivery> deliveries) noexcept;
  pybind11::array vector_of(const pipeline::Delivery& delivery) const;

  const std::vector<LaneArrays> lanes_;
  pybind11::object prepare_, run_, deliver_, enqueue_, refused_;
  const DeviceParts device_;
  std::atomic<bool> stopped_{false};
};

// Python's side of ItemRows, during prepare() only.
class PythonItemRows {
 public:
  PythonItemRows(const PythonCalls& calls, int lane, PythonTag& tag, pipeline::ItemRows& rows)
      : calls_(&calls), lane_(lane), tag_(&tag), rows_(&rows) {}

  pybind11::array reserve(std::int64_t rows, std::int64_t length);
  // Instead: the engine reads the rows where they are; they must not change.
  void borrow(const pybind11::array& rows);
  void count_copied(std::int64_t rows) { target().count_copied(rows); }
  void weigh(std::vector<float> weights);
  bool left() const { return tag_->ordinary.has_value(); }      // the item was tried without Python
  const std::string& refused() const { return tag_->refused; }  // see PythonTag
  void note(pybind11::object notes);                            // what its user should know
  bool is_wanted() const;                                       // somebody waits for the item
  void end() noexcept { rows_ = nullptr; }

 private:
  pipeline::ItemRows& target() const;

  const PythonCalls* calls_;
  int lane_;
  PythonTag* tag_;
  pipeline::ItemRows* rows_;
};

}  // namespace bindrt
