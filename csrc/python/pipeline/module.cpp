// The classes of bindrt._core that the pipeline has: Pipeline, its requests and rows.

#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/python/pipeline/bulk_requests.h"
#include "csrc/python/pipeline/calls.h"
#include "csrc/python/pipeline/clock.h"
#include "csrc/python/pipeline/device.h"
#include "csrc/python/pipeline/snapshot.h"
#include "csrc/python/pipeline/workers.h"
#include "csrc/python/text.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using namespace pipeline;

class PythonPipeline {
 public:
  PythonPipeline(const py::list& lanes, py::object prepare, py::object run, py::object deliver,
                 std::shared_ptr<Workers> workers, const std::optional<py::dict>& gpu) {
    std::vector<LaneOptions> options;
    std::vector<LaneArrays> arrays;
    for (const py::handle lane : lanes) {
      arrays.push_back(lane_arrays(lane));
      options.push_back(lane_options(lane, arrays.back()));
    }
    const py::dict of_gpu = gpu.value_or(py::dict());
    calls_ = std::make_shared<PythonCalls>(std::move(arrays), std::move(prepare), std::move(run),
                                           std::move(deliver), of_gpu.attr("get")("enqueue"),
                                           of_gpu.attr("get")("refused"), parts_of(of_gpu));
    device_ = gpu ? batch_device(of_gpu, options, calls_) : nullptr;
    core_ = Pipeline::make(std::move(options), calls_, std::move(workers), device_);
  }
  PythonPipeline(const PythonPipeline&) = delete;
  PythonPipeline& operator=(const PythonPipeline&) = delete;
  ~PythonPipeline() {
    if (finalizing()) {  // its threads sleep, or will: they cannot be ended any more
      new auto(core_);
      new auto(device_);
      new auto(calls_);
      return;
    }
    const WithoutGil release;  // its threads may want it to end
    core_.reset();
    device_.reset();
    calls_.reset();
  }

  // Whether the queue had room. The future then has a Handle, until it is delivered.
  static bool submit(const py::object& self, py::object future, int lane, py::object item,
                     const std::optional<py::array>& ready, int priority, std::uint64_t caller,
                     std::optional<double> deadline, bool normalize) {
    auto& of = self.cast<PythonPipeline&>();
    const RequestPtr request =
        request_of(self, future, lane, std::move(item), priority, caller, deadline, normalize);
    bool large = false;
    if (ready) {
      request->ready = ready_input(*ready, of.calls_->lane(lane));
      large = ready->nbytes() > kLargeBytes;
      tag_of(request).memory = *ready;
    } else {
      of.read_ordinary(request);
    }
    return of.taken(request, large);
  }

  // As submit() for a plain text; None, and nothing was done, for any other item.
  static std::optional<bool> submit_text(const py::object& self, const py::object& future, int lane,
                                         const py::object& item, int priority, std::uint64_t caller,
                                         std::optional<double> deadline, bool normalize) {
    auto& of = self.cast<PythonPipeline&>();
    const LaneArrays& arrays = of.calls_->lane(lane);
    const std::optional<std::string_view> plain =
        arrays.texts.tokenizer == nullptr ? std::nullopt : ascii(item);
    auto read =
        plain ? arrays.texts.read(*plain, static_cast<std::size_t>(arrays.view.back())) : std::nullopt;
    if (!read) {
      return std::nullopt;
    }
    const RequestPtr request = request_of(self, future, lane, item, priority, caller, deadline, normalize);
    PythonTag& tag = tag_of(request);
    const auto row_bytes = static_cast<std::int64_t>(read->ids->size() * sizeof(std::int64_t));
    request->ready = Ready{read->ids->data(), 1, row_bytes, read->used};
    tag.ids = std::move(read->ids);
    if (!read->unknown.empty()) {
      tag.notes.emplace_back("unknown_words", std::move(read->unknown));
    }
    return of.taken(request, false);
  }

  // As submit() for each in turn: how many the queue had room for. Of `ids` [N, view] so many count as
  // `counts` says; with 0 the item is prepared.
  static std::size_t submit_many(const py::object& self, const py::list& futures, int lane,
                                 const py::list& items, const std::optional<Ids>& ids,
                                 const std::optional<Ids>& counts, int priority, std::uint64_t caller,
                                 std::optional<double> deadline, bool normalize) {
    auto& of = self.cast<PythonPipeline&>();
    const auto count = static_cast<py::ssize_t>(items.size());
    const bool fits = !ids || (counts && ids->ndim() == 2 && ids->shape(0) == count &&
                               counts->size() == count && ids->shape(1) == of.calls_->lane(lane).view.back());
    if (count == 0 || futures.size() != items.size() || !fits) {
      throw py::value_error("each item has a future, and a row of ids or none");
    }
    std::vector<RequestPtr> requests;
    for (py::ssize_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      requests.push_back(
          request_of(self, futures[at], lane, items[at], priority, caller, deadline, normalize));
      if (ids && counts->at(i) > 0) {
        requests.back()->ready = Ready{ids->data(i, 0), 1, ids->strides(0), counts->at(i)};
        tag_of(requests.back()).memory = *ids;
      } else {
        of.read_ordinary(requests.back());
      }
    }
    Pipeline::Admitted admitted;
    {
      const WithoutGil release;
      admitted = of.core_->submit_all(requests);
    }
    std::for_each(requests.begin() + static_cast<std::ptrdiff_t>(admitted.accepted), requests.end(), &refuse);
    require_open(admitted.accepted > 0 ? Submitted::kAccepted : admitted.answer);
    return admitted.accepted;
  }

  static std::int64_t submit_items(const py::object& self, const std::shared_ptr<Bulk>& bulk,
                                   std::int64_t first, std::int64_t count, const BulkOptions& options,
                                   const std::optional<Ids>& ids, const std::optional<Ids>& lengths) {
    auto& of = self.cast<PythonPipeline&>();
    return bindrt::submit_items(self, *of.core_, *of.calls_, bulk, first, count, options, ids, lengths);
  }
  static void submit_ids(const py::object& self, const std::shared_ptr<Bulk>& bulk, const Ids& ids,
                         const Ids& rows, std::int64_t length, const Ids& indexes, const Ids& counts,
                         const BulkOptions& options) {
    auto& of = self.cast<PythonPipeline&>();
    bindrt::submit_ids(self, *of.core_, *of.calls_, bulk, ids, rows, length, indexes, counts, options);
  }

  bool wait_for_room(int lane, double seconds) {
    const WithoutGil release;
    return core_->wait_for_room(lane, after(seconds));
  }
  void begin_close(bool drain) {
    const WithoutGil release;
    stop_unless(drain);
    core_->begin_close(drain ? Closing::kDrain : Closing::kAbort);
  }
  bool wait_delivered(double seconds) {
    const WithoutGil release;
    return core_->wait_delivered(after(seconds));
  }
  void close(bool drain) {
    const WithoutGil release;
    stop_unless(drain);
    core_->close(drain ? Closing::kDrain : Closing::kAbort);
  }
  py::dict snapshot(int lane) {
    py::dict result = lane_snapshot(*core_, lane);
    if (device_ != nullptr) {
      const gpu::GraphCache::Counts graphs = device_->graph_counts();
      result["graphs"] = py::dict(py::arg("recorded") = graphs.recorded, py::arg("refused") = graphs.refused,
                                  py::arg("launched") = graphs.launched);
    }
    return result;
  }
  py::dict below_powers(int lane, int least, int most) const {
    return times_below_powers(*core_, lane, least, most);
  }
  double engine_seconds() { return static_cast<double>(core_->engine_nanoseconds()) / 1e9; }
  void start_trace(std::size_t spans, std::int64_t origin) {
    core_->trace().start(spans, Time(std::chrono::nanoseconds(origin)));
  }
  // Events with commas between, and how many were left out.
  std::pair<std::string, std::size_t> stop_trace() {
    const WithoutGil release;
    core_->trace().stop();
    return {core_->trace_events(), core_->trace().missed()};
  }

  // A request that was accepted, for its future.
  struct Handle {
    RequestPtr request;
    py::object pipeline;  // stays until the request is delivered

    Pipeline& core() const { return *pipeline.cast<PythonPipeline&>().core_; }
    PythonTag& tag() const { return *static_cast<PythonTag*>(request->tag.get()); }
    void cancel() const {
      if (const auto waiters = tag().waiters.made()) {
        waiters->open();
      }
      Pipeline& of = core();
      const WithoutGil release;
      of.cancel(request);
    }
    bool is_running() const { return core().is_running(request); }
    // Whether it was delivered or cancelled.
    bool wait(double seconds) const {
      const std::shared_ptr<Waiters> waiters = tag().waiters.wanted();
      if (waiters == nullptr) {
        return true;
      }
      core().require_this_process();  // nobody would wake a forked child
      const WithoutGil release;
      return waiters->wait(after(seconds));
    }
  };

 private:
  void stop_unless(bool drain) {
    if (!drain) {
      calls_->stop();
    }
  }

  static PythonTag& tag_of(const RequestPtr& request) { return *static_cast<PythonTag*>(request->tag.get()); }

  // Sets the future's Handle.
  static RequestPtr request_of(const py::object& self, const py::object& future, int lane, py::object item,
                               int priority, std::uint64_t caller, std::optional<double> deadline,
                               bool normalize) {
    auto request = std::make_shared<Request>();
    request->lane = lane;
    request->priority = priority;
    request->caller = caller;
    request->normalize = normalize;
    if (deadline) {
      request->deadline = after(*deadline);
    }
    auto tag = std::make_shared<PythonTag>();
    tag->future = future;
    tag->item = std::move(item);
    request->tag = std::move(tag);
    set_request(future, py::cast(Handle{request, self}));
    return request;
  }

  void read_ordinary(const RequestPtr& request) const {
    PythonTag& tag = tag_of(request);
    if (auto lent = calls_->read_lent(request->lane, tag.item)) {
      request->ready = ready_on_device(std::move(lent));
    } else {
      tag.ordinary = calls_->read_ordinary(request->lane, tag.item);
    }
  }

  // Whether the queue had room.
  bool taken(const RequestPtr& request, bool large) {
    const Submitted answer = hand_in(request, large);
    if (answer != Submitted::kAccepted) {
      refuse(request);
    }
    require_open(answer);
    return answer == Submitted::kAccepted;
  }

  static void refuse(const RequestPtr& request) {
    PythonTag& tag = tag_of(request);
    const py::object future = tag.future;
    tag.waiters.end();
    tag.clear();
    set_request(future, py::none());
  }

  // An idle engine begins at once, and wants the GIL: it is free then. A busy one does not, and this thread
  // need not fight to get it back. Nor need a thread that submits one request after the other: the engine
  // gets the GIL when the thread waits for something, or after the interpreter's switch interval, and has
  // more in its batch.
  Submitted hand_in(const RequestPtr& request, bool large) {
    const bool is_in_row = Clock::now() - last_submit_.load(std::memory_order_relaxed) < kRow;
    Submitted answer = Submitted::kAccepted;
    if (!large && (is_in_row || !core_->idle())) {
      answer = core_->submit(request);
    } else {
      const WithoutGil release;
      answer = core_->submit(request);
    }
    // Now: what it took to get the GIL back is not the caller's time.
    last_submit_.store(Clock::now(), std::memory_order_relaxed);
    return answer;
  }

  static constexpr std::chrono::microseconds kRow{30};  // from one request of a row to the next
  static constexpr py::ssize_t kLargeBytes = 65536;     // copied without the GIL

  std::atomic<Time> last_submit_{Time()};  // when the last one ended
  std::shared_ptr<PythonCalls> calls_;
  std::shared_ptr<gpu::BatchDevice> device_;  // null: the engine alone runs batches
  std::shared_ptr<Pipeline> core_;
};

}  // namespace

void bind_pipeline(py::module_& module) {
  const auto metaclass = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
  py::register_exception<ForkedError>(module, "ForkedError", PyExc_RuntimeError);
  bind_workers(module);
  py::native_enum<Outcome>(module, "Outcome", "enum.IntEnum", "How a request ended.")
      .value("DONE", Outcome::kDone)
      .value("FAILED", Outcome::kFailed)
      .value("CANCELLED", Outcome::kCancelled)
      .value("EXPIRED", Outcome::kExpired)
      .value("CLOSED", Outcome::kClosed)
      .finalize();
  bind_bulk(module);
  using Handle = PythonPipeline::Handle;
  py::class_<Handle>(module, "PipelineRequest", py::is_final(), metaclass)
      .def("cancel", &Handle::cancel)
      .def("is_running", &Handle::is_running)
      .def("wait", &Handle::wait, py::arg("seconds"));
  py::class_<PythonItemRows>(module, "ItemRows", py::is_final(), metaclass,
                             "The rows of one item in a batch, where prepare writes.")
      .def("reserve", &PythonItemRows::reserve, py::arg("rows"), py::arg("length") = 0)
      .def("borrow", &PythonItemRows::borrow, py::arg("rows"))
      .def("count_copied", &PythonItemRows::count_copied, py::arg("rows"))
      .def("weigh", &PythonItemRows::weigh, py::arg("weights"))
      .def("note", &PythonItemRows::note, py::arg("notes"))
      .def("is_wanted", &PythonItemRows::is_wanted)
      .def_property_readonly("left", &PythonItemRows::left)
      .def_property_readonly("refused", &PythonItemRows::refused);
  py::class_<PythonPipeline>(module, "Pipeline", py::is_final(), metaclass,
                             "Requests in, vectors out; see csrc/pipeline/pipeline.h.")
      .def(py::init<const py::list&, py::object, py::object, py::object, std::shared_ptr<Workers>,
                    const std::optional<py::dict>&>(),
           py::arg("lanes"), py::arg("prepare"), py::arg("run"), py::arg("deliver"), py::arg("workers"),
           py::arg("gpu") = py::none())
      .def("submit", &PythonPipeline::submit, py::arg("future"), py::arg("lane"), py::arg("item"),
           py::arg("ready") = py::none(), py::arg("priority") = 0, py::arg("caller") = 0,
           py::arg("deadline") = py::none(), py::arg("normalize") = true)
      .def("submit_text", &PythonPipeline::submit_text, py::arg("future"), py::arg("lane"), py::arg("item"),
           py::arg("priority"), py::arg("caller"), py::arg("deadline"), py::arg("normalize"))
      .def("submit_many", &PythonPipeline::submit_many, py::arg("futures"), py::arg("lane"), py::arg("items"),
           py::arg("ids"), py::arg("counts"), py::arg("priority"), py::arg("caller"), py::arg("deadline"),
           py::arg("normalize"))
      .def("submit_items", &PythonPipeline::submit_items, py::arg("bulk"), py::arg("first"), py::arg("count"),
           py::arg("options"), py::arg("ids") = py::none(), py::arg("lengths") = py::none())
      .def("submit_ids", &PythonPipeline::submit_ids, py::arg("bulk"), py::arg("ids"), py::arg("rows"),
           py::arg("length"), py::arg("indexes"), py::arg("counts"), py::arg("options"))
      .def("wait_for_room", &PythonPipeline::wait_for_room, py::arg("lane"), py::arg("seconds"))
      .def("begin_close", &PythonPipeline::begin_close, py::arg("drain"))
      .def("wait_delivered", &PythonPipeline::wait_delivered, py::arg("seconds"))
      .def("close", &PythonPipeline::close, py::arg("drain"))
      .def("snapshot", &PythonPipeline::snapshot, py::arg("lane"))
      .def("below_powers", &PythonPipeline::below_powers, py::arg("lane"), py::arg("least"), py::arg("most"))
      .def("engine_seconds", &PythonPipeline::engine_seconds)
      .def("start_trace", &PythonPipeline::start_trace, py::arg("spans"), py::arg("origin"))
      .def("stop_trace", &PythonPipeline::stop_trace);
}

}  // namespace bindrt
