// Rows for vectors, and what became of the items that have none.

#include "csrc/python/pipeline/bulk.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "csrc/python/gil.h"
#include "csrc/python/gpu/rows.h"
#include "csrc/python/pipeline/calls.h"

namespace py = pybind11;

namespace bindrt {
namespace {

Bulk::Span nanoseconds(pipeline::Time begin, pipeline::Time end) {
  const auto count = [](pipeline::Time time) {
    return static_cast<std::int64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
  };
  return {count(begin), count(end)};
}

Bulk::Span around(const Bulk::Span& one, const Bulk::Span& other) {
  return {std::min(one.first, other.first), std::max(one.second, other.second)};
}

}  // namespace

Bulk::Bulk(py::list items, py::array rows, py::object target)
    : held_(new Held{std::move(items), std::move(rows), std::move(target), {}, {}}),
      requests_(held_->items.size()),
      last_wanted_(std::numeric_limits<std::int64_t>::max()) {
  py::array& out = held_->rows;
  if (!py::isinstance<py::array_t<float, py::array::c_style>>(out) || out.ndim() != 2 ||
      out.shape(0) != size()) {
    throw py::value_error("rows are float32 [items, dim], contiguous");
  }
  vectors_ = static_cast<float*>(out.mutable_data());
  dim_ = out.shape(1);
  if (!held_->target.is_none()) {
    const auto& array = held_->target.cast<const gpu::DeviceArray&>();
    if (array.rows() != size() || array.dim() != dim_) {
      throw py::value_error("vectors on the device are [items, dim]");
    }
    target_ = array.address();
  }
}

Bulk::~Bulk() {
  if (finalizing()) {
    held_.release();
    new auto(std::move(spent_));
    return;
  }
  const WithGil gil;
  held_.reset();
  spent_.clear();
}

py::object Bulk::item(std::int64_t index) const { return held_->items[static_cast<std::size_t>(index)]; }

void Bulk::note(std::int64_t index, py::object notes) { held_->notes[py::int_(index)] = std::move(notes); }

py::dict Bulk::take_notes() {
  std::vector<std::pair<std::int64_t, Notes>> prepared;
  {
    const std::lock_guard lock(mutex_);
    prepared.swap(prepared_notes_);
  }
  for (const auto& [index, notes] : prepared) {
    note(index, notes_dict(notes));
  }
  return std::exchange(held_->notes, py::dict());
}

py::list Bulk::take_ended() {
  std::vector<Ended> ended;
  std::vector<py::object> spent;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
    spent.swap(spent_);
  }
  py::list found;
  for (const Ended& each : ended) {
    found.append(py::make_tuple(each.index, each.outcome, error_of(each.failure)));
  }
  return found;
}

std::optional<std::pair<Bulk::Span, Bulk::Span>> Bulk::stages() const {
  const std::lock_guard lock(mutex_);
  return stages_;
}

bool Bulk::call_when(std::int64_t most, py::object wake) {
  auto held = held_object(std::move(wake));
  const std::lock_guard lock(mutex_);
  most_ = most;
  if (has_news()) {
    return false;
  }
  wake_ = std::move(held);
  return true;
}

void Bulk::keep(const py::object& pipeline) {
  if (held_->pipelines.empty() || !held_->pipelines.back().is(pipeline)) {
    held_->pipelines.push_back(pipeline);
  }
}

void Bulk::expect(pipeline::Pipeline& core, std::span<const Place> places) {
  const std::lock_guard lock(mutex_);
  for (const Place& place : places) {
    requests_[static_cast<std::size_t>(place.index)] = {place.request, &core};
  }
  open_ += static_cast<std::int64_t>(places.size());
}

void Bulk::take_back(std::span<const Place> places) {
  const std::lock_guard lock(mutex_);
  for (const Place& place : places) {
    requests_[static_cast<std::size_t>(place.index)] = {};
  }
  open_ -= static_cast<std::int64_t>(places.size());
}

void Bulk::deliver(const pipeline::Delivery& delivery, PythonTag& tag) noexcept {
  const std::int64_t index = tag.index;
  if (delivery.vector != nullptr) {
    std::copy_n(delivery.vector, dim_, vectors_ + index * dim_);
  }
  std::shared_ptr<py::object> wake;
  bool has_waiter = false;
  {
    const std::lock_guard lock(mutex_);
    requests_[static_cast<std::size_t>(index)] = {};
    --open_;
    tag.move_objects(spent_);  // freed under the GIL, when somebody comes with it
    if (!tag.notes.empty()) {
      prepared_notes_.emplace_back(index, std::move(tag.notes));
    }
    if (delivery.vector != nullptr) {
      const Span prepared = nanoseconds(delivery.request->started, delivery.request->prepared);
      const Span ran = nanoseconds(delivery.run_begin, delivery.run_end);
      stages_ = stages_ ? std::pair(around(stages_->first, prepared), around(stages_->second, ran))
                        : std::pair(prepared, ran);
    }
    if (delivery.vector == nullptr) {
      ended_.push_back({index, delivery.outcome, delivery.failure});
    }
    has_waiter = has_news();
    if (has_waiter) {
      wake = std::move(wake_);
    }
  }
  if (has_waiter) {
    changed_.notify_all();
  }
  if (wake != nullptr) {
    const WithGil gil;
    try {
      or_sleep([&] { (*wake)(); });
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("bindrt: waking a coroutine");
    }
    wake.reset();
  }
}

bool Bulk::wait(pipeline::Time until, std::int64_t most) {
  std::unique_lock lock(mutex_);
  most_ = most;
  return changed_.wait_until(lock, until, [this] { return has_news(); });
}

std::int64_t Bulk::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

void Bulk::cancel_after(std::int64_t index) {
  std::vector<Open> cancelled;
  {
    const std::lock_guard lock(mutex_);
    last_wanted_ = std::min(last_wanted_, index);
    for (std::size_t i = static_cast<std::size_t>(std::max<std::int64_t>(index + 1, 0)); i < requests_.size();
         ++i) {
      if (requests_[i].request != nullptr) {
        cancelled.push_back(requests_[i]);
      }
    }
  }
  for (const Open& each : cancelled) {
    each.core->cancel(each.request);
  }
}

bool Bulk::is_wanted(std::int64_t index) const {
  const std::lock_guard lock(mutex_);
  return index <= last_wanted_;
}

}  // namespace bindrt
