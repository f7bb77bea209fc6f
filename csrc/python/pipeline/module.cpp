#include <pybind11/stl.h>

#include <chrono>
#include <string>
#include <utility>

#include "csrc/gpu/process.h"
#include "csrc/python/bindings.h"
#include "csrc/python/pipeline/calls.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using namespace pipeline;

Time after(double seconds) {
  constexpr double kLongest = 1e9;  // seconds: beyond, the clock's number would overflow
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(std::min(seconds, kLongest)));
}

constexpr std::pair<const char*, Stage> kStageNames[] = {
    {"queue", Stage::kQueue},   {"prepare", Stage::kPrepare}, {"batch", Stage::kBatch},
    {"engine", Stage::kEngine}, {"finish", Stage::kFinish},   {"total", Stage::kTotal}};

class PythonPipeline {
 public:
  PythonPipeline(const py::list& lanes, py::object prepare, py::object run, py::object deliver,
                 std::shared_ptr<Workers> workers, const std::optional<py::dict>& gpu) {
    std::vector<LaneOptions> options;
    std::vector<LaneArrays> arrays;
    std::vector<std::int64_t> dims;
    for (const py::handle lane : lanes) {
      arrays.push_back({py::dtype::from_args(lane["dtype"]), lane["view"].cast<std::vector<py::ssize_t>>(),
                        lane["tokens"].cast<std::int64_t>()});
      options.push_back(lane_options(lane, arrays.back()));
      dims.push_back(options.back().dim);
    }
    calls_ =
        std::make_shared<PythonCalls>(std::move(arrays), std::move(dims), std::move(prepare), std::move(run),
                                      std::move(deliver), gpu ? py::object((*gpu)["enqueue"]) : py::none());
    if (gpu) {
      device_ = batch_device(*gpu, options);
    }
    std::vector<std::shared_ptr<Device>> devices(device_ == nullptr ? 0 : 1, device_);
    core_ = Pipeline::make(std::move(options), calls_, std::move(workers), std::move(devices));
  }
  PythonPipeline(const PythonPipeline&) = delete;
  PythonPipeline& operator=(const PythonPipeline&) = delete;
  ~PythonPipeline() {
    const py::gil_scoped_release release;  // its threads may want it to end
    core_.reset();
    device_.reset();
    calls_.reset();
  }

  // Whether the queue had room. The future then has a Handle, until it is delivered.
  static bool submit(const py::object& self, py::object future, int lane, py::object item,
                     const std::optional<py::array>& ready, int priority, std::uint64_t caller,
                     std::optional<double> deadline, bool normalize) {
    auto& of = self.cast<PythonPipeline&>();
    auto tag = std::make_shared<PythonTag>();
    auto request = std::make_shared<Request>();
    request->lane = lane;
    request->priority = priority;
    request->caller = caller;
    request->normalize = normalize;
    if (deadline) {
      request->deadline = after(*deadline);
    }
    bool large = false;
    if (ready) {
      request->ready = of.ready_input(*ready, lane);
      large = ready->nbytes() > kLargeBytes;
      tag->memory = *ready;
    }
    tag->future = future;
    tag->item = std::move(item);
    request->tag = tag;
    set_request(future, py::cast(Handle{request, self}));
    const Submitted answer = of.hand_in(request, large);
    if (answer != Submitted::kAccepted) {
      *tag = PythonTag();
      set_request(future, py::none());
    }
    if (answer == Submitted::kClosed) {
      throw std::runtime_error("the pipeline is closed");
    }
    return answer == Submitted::kAccepted;
  }

  bool wait_for_room(int lane, double seconds) {
    const py::gil_scoped_release release;
    return core_->wait_for_room(lane, after(seconds));
  }
  void begin_close(bool drain) {
    const py::gil_scoped_release release;
    core_->begin_close(drain ? Closing::kDrain : Closing::kAbort);
  }
  bool wait_delivered(double seconds) {
    const py::gil_scoped_release release;
    return core_->wait_delivered(after(seconds));
  }
  void close(bool drain) {
    const py::gil_scoped_release release;
    core_->close(drain ? Closing::kDrain : Closing::kAbort);
  }
  void release_memory(int lane) {
    const py::gil_scoped_release release;
    core_->release(lane);
  }

  py::dict snapshot(int lane) {
    const LaneSnapshot found = core_->snapshot(lane);
    const LaneCounts& counts = found.counts;
    py::dict result;
    const std::pair<const char*, std::uint64_t> numbers[] = {{"submitted", counts.submitted},
                                                             {"refused", counts.refused},
                                                             {"done", counts.done},
                                                             {"failed", counts.failed},
                                                             {"cancelled", counts.cancelled},
                                                             {"expired", counts.expired},
                                                             {"closed", counts.closed},
                                                             {"batches", counts.batches},
                                                             {"rows", counts.rows},
                                                             {"engine_calls", counts.engine_calls},
                                                             {"splits", counts.splits},
                                                             {"halvings", counts.halvings},
                                                             {"rows_copied", counts.rows_copied},
                                                             {"rows_moved", counts.rows_moved},
                                                             {"rows_borrowed", counts.rows_borrowed},
                                                             {"batches_made", counts.batches_made},
                                                             {"queued", found.queued},
                                                             {"batch_bytes", found.batch_bytes}};
    for (const auto& [name, value] : numbers) {
      result[name] = value;
    }
    result["preparing"] = found.preparing;
    result["rows_in_flight"] = found.in_flight;
    result["limit"] = found.limit;
    py::dict sizes;
    for (std::size_t rows = 0; rows < found.batch_sizes.size(); ++rows) {
      if (found.batch_sizes[rows] > 0) {
        sizes[py::int_(rows)] = found.batch_sizes[rows];
      }
    }
    result["batch_sizes"] = sizes;
    result["seconds"] = stage_seconds(lane);
    if (device_ != nullptr) {
      const gpu::GraphCache::Counts graphs = device_->graph_counts();
      result["graphs"] = py::dict(py::arg("recorded") = graphs.recorded, py::arg("refused") = graphs.refused,
                                  py::arg("launched") = graphs.launched);
    }
    return result;
  }

  // By stage: how many took less than 2^bits nanoseconds, for bits from `least` to `most`; then all.
  py::dict below_powers(int lane, int least, int most) const {
    if (least < 0 || most < least || most > 62) {
      throw py::value_error("powers are 0 to 62, ascending");
    }
    py::dict stages;
    for (const auto& [name, stage] : kStageNames) {
      stages[name] = core_->times(lane, stage).below_powers(least, most);
    }
    return stages;
  }

  double engine_seconds(int executor) {
    return static_cast<double>(core_->executor_snapshot(executor).busy_nanoseconds) / 1e9;
  }
  void start_trace(std::size_t spans, std::int64_t origin) {
    core_->trace().start(spans, Time(std::chrono::nanoseconds(origin)));
  }
  // Events with commas between, and how many were left out.
  std::pair<std::string, std::size_t> stop_trace() {
    const py::gil_scoped_release release;
    core_->trace().stop();
    return {core_->trace_events(), core_->trace().missed()};
  }

  // A request that was accepted, for its future.
  struct Handle {
    RequestPtr request;
    py::object pipeline;  // stays until the request is delivered

    PythonTag& tag() const { return *static_cast<PythonTag*>(request->tag.get()); }
    void cancel() const {
      if (tag().waiters != nullptr) {
        tag().waiters->open();
      }
      Pipeline& core = *pipeline.cast<PythonPipeline&>().core_;
      const py::gil_scoped_release release;
      core.cancel(request);
    }
    bool is_running() const { return pipeline.cast<PythonPipeline&>().core_->is_running(request); }
    // Whether it was delivered or cancelled.
    bool wait(double seconds) const {
      if (!tag().future) {
        return true;
      }
      if (tag().waiters == nullptr) {
        tag().waiters = std::make_shared<Waiters>();
      }
      const std::shared_ptr<Waiters> waiters = tag().waiters;
      const py::gil_scoped_release release;
      return waiters->wait(after(seconds));
    }
  };

 private:
  // On which the first executor's batches run.
  std::shared_ptr<gpu::BatchDevice> batch_device(const py::dict& options,
                                                 const std::vector<LaneOptions>& lanes) const {
    gpu::BatchSizes sizes;
    for (const LaneOptions& lane : lanes) {
      sizes.rows = std::max(sizes.rows, lane.max_batch);
      sizes.row_bytes = std::max(sizes.row_bytes, lane.classes.back().row_bytes);
      sizes.dim = lane.dim;
    }
    const gpu::BatchDeviceOptions kept{options["sets"].cast<std::size_t>(),
                                       options["graphs"].cast<std::size_t>()};
    const int index = options["device"].cast<int>();
    const py::gil_scoped_release release;
    return std::make_shared<gpu::BatchDevice>(
        gpu::process_context(index), sizes, kept,
        [calls = calls_](const gpu::EngineWork& work) { calls->enqueue(work); });
  }

  // An idle engine begins at once, and wants the GIL: it is free then. A busy one does not, and this thread
  // need not fight to get it back.
  Submitted hand_in(const RequestPtr& request, bool large) {
    if (!large && !core_->idle(request->lane)) {
      return core_->submit(request);
    }
    const py::gil_scoped_release release;
    return core_->submit(request);
  }

  static constexpr py::ssize_t kLargeBytes = 65536;  // copied without the GIL

  static LaneOptions lane_options(const py::handle& lane, const LaneArrays& arrays) {
    LaneOptions options;
    options.name = lane["name"].cast<std::string>();
    options.executor = lane["executor"].cast<int>();
    options.dim = lane["dim"].cast<std::int64_t>();
    options.max_batch = lane["max_batch"].cast<std::int64_t>();
    options.item_rows = lane["item_rows"].cast<std::int64_t>();
    options.queue = lane["queue"].cast<std::size_t>();
    options.in_flight = lane["in_flight"].cast<std::int64_t>();
    options.max_wait = std::chrono::microseconds(lane["max_wait_us"].cast<std::int64_t>());
    options.spin = std::chrono::microseconds(lane["spin_us"].cast<std::int64_t>());
    std::int64_t bytes = arrays.dtype.itemsize();
    for (std::size_t i = 0; i + 1 < arrays.view.size(); ++i) {
      bytes *= arrays.view[i];
    }
    const auto lengths = lane["lengths"].cast<std::vector<std::int64_t>>();
    for (const std::int64_t length : lengths) {
      options.classes.push_back({length, bytes * length});
    }
    if (lengths.empty()) {
      options.classes.push_back({0, bytes * arrays.view.back()});
    }
    return options;
  }

  // [rows, view] or [view], as it is; ValueError for anything else.
  Ready ready_input(const py::array& array, int lane) const {
    const LaneArrays& expected = calls_->lane(lane);
    const auto dims = static_cast<py::ssize_t>(expected.view.size());
    const py::ssize_t extra = array.ndim() - dims;
    bool fits = (array.flags() & py::array::c_style) != 0 && array.dtype().equal(expected.dtype) &&
                (extra == 0 || extra == 1) && array.size() > 0;
    for (py::ssize_t i = 0; fits && i < dims; ++i) {
      fits = array.shape(extra + i) == expected.view[static_cast<std::size_t>(i)];
    }
    if (!fits) {
      throw py::value_error("ready input is not [rows, view] of the lane, contiguous");
    }
    const std::int64_t rows = extra == 0 ? 1 : array.shape(0);
    Ready ready{array.data(), rows, array.nbytes() / rows, 0};
    if (expected.tokens > 0) {
      ready.length = tokens_length(static_cast<const std::int64_t*>(array.data()), rows, expected);
    }
    return ready;
  }

  // Of the longest row, up to its end token.
  static std::int64_t tokens_length(const std::int64_t* ids, std::int64_t rows, const LaneArrays& expected) {
    std::int64_t longest = 0;
    for (std::int64_t row = 0; row < rows; ++row, ids += expected.view.back()) {
      std::int64_t end = -1;
      for (std::int64_t i = 0; i < expected.view.back(); ++i) {
        if (ids[i] < 0 || ids[i] >= expected.tokens) {
          throw py::value_error("a token is outside the vocabulary");
        }
        if (end < 0 && ids[i] == expected.tokens - 1) {
          end = i;
        }
      }
      if (end < 0) {
        throw py::value_error("the end token is missing");
      }
      longest = std::max(longest, end + 1);
    }
    return longest;
  }

  py::dict stage_seconds(int lane) const {
    py::dict stages;
    for (const auto& [name, stage] : kStageNames) {
      const Histogram& times = core_->times(lane, stage);
      const auto seconds = [&times](double fraction) {
        return static_cast<double>(times.percentile(fraction)) / 1e9;
      };
      py::dict of;
      of["count"] = times.count();
      of["sum"] = static_cast<double>(times.sum()) / 1e9;
      of["p50"] = seconds(0.5);
      of["p90"] = seconds(0.9);
      of["p99"] = seconds(0.99);
      of["p99.9"] = seconds(0.999);
      of["max"] = static_cast<double>(times.largest()) / 1e9;
      stages[name] = of;
    }
    return stages;
  }

  std::shared_ptr<PythonCalls> calls_;
  std::shared_ptr<gpu::BatchDevice> device_;  // null: the engine runs on the executor's thread
  std::shared_ptr<Pipeline> core_;
};

}  // namespace

void bind_pipeline(py::module_& module) {
  const auto metaclass = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
  py::register_exception<ForkedError>(module, "ForkedError", PyExc_RuntimeError);
  py::class_<Workers, std::shared_ptr<Workers>>(module, "Workers", py::is_final(), metaclass,
                                                "Threads that decode and preprocess.")
      .def(py::init(&Workers::make), py::arg("threads"))
      .def_property_readonly("threads", &Workers::threads);
  using Handle = PythonPipeline::Handle;
  py::class_<Handle>(module, "PipelineRequest", py::is_final(), metaclass)
      .def("cancel", &Handle::cancel)
      .def("is_running", &Handle::is_running)
      .def("wait", &Handle::wait, py::arg("seconds"));
  py::class_<PythonPlace>(module, "Place", py::is_final(), metaclass, "Where prepare writes.")
      .def("reserve", &PythonPlace::reserve, py::arg("rows"), py::arg("length") = 0)
      .def("borrow", &PythonPlace::borrow, py::arg("rows"))
      .def("count_copied", &PythonPlace::count_copied, py::arg("rows"))
      .def("weigh", &PythonPlace::weigh, py::arg("weights"));
  py::class_<PythonPipeline>(module, "Pipeline", py::is_final(), metaclass,
                             "Requests in, vectors out; see csrc/pipeline/pipeline.h.")
      .def(py::init<const py::list&, py::object, py::object, py::object, std::shared_ptr<Workers>,
                    const std::optional<py::dict>&>(),
           py::arg("lanes"), py::arg("prepare"), py::arg("run"), py::arg("deliver"), py::arg("workers"),
           py::arg("gpu") = py::none())
      .def("submit", &PythonPipeline::submit, py::arg("future"), py::arg("lane"), py::arg("item"),
           py::arg("ready") = py::none(), py::arg("priority") = 0, py::arg("caller") = 0,
           py::arg("deadline") = py::none(), py::arg("normalize") = true)
      .def("wait_for_room", &PythonPipeline::wait_for_room, py::arg("lane"), py::arg("seconds"))
      .def("begin_close", &PythonPipeline::begin_close, py::arg("drain"))
      .def("wait_delivered", &PythonPipeline::wait_delivered, py::arg("seconds"))
      .def("close", &PythonPipeline::close, py::arg("drain"))
      .def("release", &PythonPipeline::release_memory, py::arg("lane"))
      .def("snapshot", &PythonPipeline::snapshot, py::arg("lane"))
      .def("below_powers", &PythonPipeline::below_powers, py::arg("lane"), py::arg("least"), py::arg("most"))
      .def("engine_seconds", &PythonPipeline::engine_seconds, py::arg("executor"))
      .def("start_trace", &PythonPipeline::start_trace, py::arg("spans"), py::arg("origin"))
      .def("stop_trace", &PythonPipeline::stop_trace);
}

}  // namespace bindrt
