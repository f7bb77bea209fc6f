// Requests in, vectors out: queue → preprocessing into slots → engine → pooling and hand-over, each on
// threads of its own, so that the engine finds the next batch ready when it ends one.
//
// One mutex guards all states; no callback is called under it. A request has one owner at a time: its queue,
// the thread that prepares it, its batch. Whoever moves it to kDone delivers it, so that it is delivered
// once.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <deque>
#include <map>
#include <span>
#include <stdexcept>

#include "csrc/pipeline/lane.h"
#include "csrc/pipeline/trace.h"
#include "csrc/pipeline/workers.h"

namespace bindrt::pipeline {

enum class Submitted { kAccepted, kFull, kClosed };
enum class Closing { kDrain, kAbort };

// Used in a child process, which has none of the threads.
struct ForkedError : std::logic_error {
  using std::logic_error::logic_error;
};

struct LaneSnapshot {
  LaneCounts counts;
  std::size_t queued = 0;
  int preparing = 0;
  std::int64_t in_flight = 0;
  std::int64_t in_engine = 0;
  std::int64_t limit = 0;
  std::size_t batch_bytes = 0;
  std::vector<std::uint64_t> batch_sizes;
  bool device_lost = false;  // every batch fails from now on
};

class Pipeline final : public WorkSource {
 public:
  // Throws std::invalid_argument for options that do not fit together. The last owner's end closes it with
  // kAbort. In a forked child it is kept for ever, for its locks and threads are the parent's. The batches
  // run on `device` if there is one; the engine then runs what the device failed on.
  static std::shared_ptr<Pipeline> make(std::vector<LaneOptions> lanes, std::shared_ptr<Callbacks> callbacks,
                                        std::shared_ptr<Workers> workers,
                                        std::shared_ptr<Device> device = nullptr);

  // Takes a new request, or says why not. Ready input is written into its slot at once if nothing is before
  // it.
  Submitted submit(const RequestPtr& request);
  // As submit() for each in turn, all of one lane and at least one, under one lock, until one is not
  // accepted.
  struct Admitted {
    std::size_t accepted = 0;
    Submitted answer = Submitted::kAccepted;  // of the last one tried
  };
  Admitted submit_all(std::span<const RequestPtr> requests);
  // Requests of one lane whose rows are a batch as they are, one after the other: `counts[i]` rows of
  // requests[i], all of `rows.length`, which need not be a class's. The queue does not matter for them.
  Submitted submit_batch(std::span<const RequestPtr> requests, const Ready& rows,
                         std::span<const std::int64_t> counts);
  // While the engine has nothing to do: runs batches that are ready on this thread, as long as the next one
  // has a request of `caller`. For what is `by_submitter`, since a thread of the pipeline would have to wake.
  void run_here(std::uint64_t caller);
  // Whether the engine has nothing to do, and so would begin with what is submitted at once; a hint.
  bool idle() const noexcept { return executor_.idle.load(std::memory_order_relaxed); }
  // Waits until the lane's queue has room, the pipeline is closed, or `until`. Returns whether it has room.
  bool wait_for_room(int lane, Time until);
  // Delivers the request as cancelled, unless the engine has it or it was delivered. A request that is being
  // prepared is delivered when that ends.
  void cancel(const RequestPtr& request);
  bool is_running(const RequestPtr& request);  // the engine has it
  // kDrain: everything accepted is done first. kAbort: what the engine does not have is delivered as closed.
  // Returns when all is delivered and no thread is left. Throws std::logic_error in a callback.
  void close(Closing how);
  // The parts of close(), for a caller that must look after signals meanwhile: accept nothing more; then
  // wait.
  void begin_close(Closing how);
  bool wait_delivered(Time until);  // whether all is

  void require_this_process() const;  // throws ForkedError in a forked child
  LaneSnapshot snapshot(int lane);
  std::int64_t engine_nanoseconds();  // that the engine was busy
  const Histogram& times(int lane, Stage stage) const;
  Trace& trace() noexcept { return trace_; }
  std::string trace_events() const;

  bool work() override;
  bool look() override;
  Time next_alarm() override;

 private:
  // The engine's thread, and the device's if there is one.
  struct Executor {
    std::condition_variable wake;
    std::atomic<std::uint32_t> news{0};  // counts what may have made a batch ready; written under the mutex
    std::atomic<bool> idle{false};       // nobody runs a batch: the thread looks out or sleeps
    bool guest = false;                  // a submitter runs batches instead of the thread
    std::chrono::microseconds spin{0};
    std::thread thread;
    std::int64_t busy = 0;  // nanoseconds

    std::shared_ptr<Device> device;  // null: the engine alone; then all below is empty
    std::deque<BatchPtr> started;    // on the device, oldest first
    std::size_t on_device = 0;       // of them, and of those that are being handed over
    std::deque<BatchPtr> alone;      // for the engine, once nothing is on the device
    FailurePtr lost;                 // set once the device is lost: then every batch fails with it
    std::condition_variable device_wake;
    std::thread waiter;

    // What there is to do has to wait for the device.
    bool device_busy() const noexcept {
      return on_device > 0 && (!alone.empty() || on_device >= device->depth());
    }
  };
  class BatchRows;
  using Lock = std::unique_lock<std::mutex>;
  using Deliveries = std::vector<Delivery>;

  Pipeline(std::vector<LaneOptions> lanes, std::shared_ptr<Callbacks> callbacks,
           std::shared_ptr<Workers> workers, std::shared_ptr<Device> device);
  ~Pipeline() override;

  Lane& lane(int index) { return *lanes_[static_cast<std::size_t>(index)]; }

  // submitting.cpp
  Submitted admit(Lane& to, const RequestPtr& request, Time now);
  void accept(Lane& to, const RequestPtr& request, Time now);

  // pipeline.cpp
  void tell_engine();
  static void tell_of_space(Lane& lane);
  void end_request(const RequestPtr& request, Outcome outcome, FailurePtr failure, Deliveries& to);
  bool withdraw(const RequestPtr& request, Outcome outcome, Deliveries& to);
  void deliver(Deliveries& deliveries);
  void stop_threads();

  // preparing.cpp
  void expire(Time now, Deliveries& to);
  Lane* next_startable();
  void start(Lane& lane, const RequestPtr& request, Time now);
  void prepare(Lane& lane, const RequestPtr& request, bool runs_here);
  FailurePtr fill(const RequestPtr& request, Lane& lane, BatchRows& rows);
  void write_ready(const Ready& ready, Lane& lane, BatchRows& rows);
  void commit(Lane& lane, const RequestPtr& request, FailurePtr failure, bool runs_here);
  Batch* batch_for(Lane& lane, std::size_t length_class, std::int64_t rows);
  Batch& place(Lane& lane, BatchPtr batch, bool own);
  Batch& own_batch(Lock& lock, Lane& lane, std::size_t length_class, std::int64_t rows, const void* borrowed);
  void make_free_batch(Lock& lock, Lane& lane, std::size_t length_class);
  std::byte* reserve(const RequestPtr& request, const void* borrowed, std::int64_t rows,
                     std::size_t length_class);
  void give_up(const RequestPtr& request, std::int64_t rows);
  void leave(const RequestPtr& request, std::shared_ptr<const kernels::Decoded> item);
  void count_copied(Lane& lane, std::int64_t rows);
  void count_film(Lane& lane);

  // executing.cpp
  void execute();
  void look_out(std::uint32_t seen, Time until) const noexcept;
  void hand_over();
  bool is_ready(const Lane& lane, const Batch& batch, Time now, Time& alarm) const;
  Batch* choose(Time now, Time& alarm);
  BatchPtr unlink(Batch* batch);
  BatchPtr take(Batch* batch, Time now, Deliveries& to);
  BatchPtr take_for_engine(Lock& lock, Batch* batch, Time now);
  bool recycle_dead(std::vector<BatchPtr>& over);
  void run(BatchPtr batch);
  void count_batch(const Batch& batch, Time busy_from, const RunCounts& counts);
  static const float* pool(Batch& batch, std::int64_t dim);
  void finish(BatchPtr batch);
  [[nodiscard]] BatchPtr recycle(BatchPtr batch);

  // on_device.cpp
  void start_on_device(BatchPtr batch);
  void wait_for_device();
  FailurePtr device_loss();
  void end_on_device(BatchPtr batch, const FailurePtr& failure, Time busy_from);
  std::shared_ptr<const kernels::Decoded> decode(Lane& lane, const kernels::EncodedPicture& picture);
  void store_vectors(Batch& batch, const float* vectors, std::int64_t dim);

  const pid_t process_;
  const std::shared_ptr<Callbacks> callbacks_;
  const std::shared_ptr<Workers> workers_;
  Trace trace_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable all_delivered_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Executor executor_;
  std::multimap<Time, RequestPtr> deadlines_;  // of requests the engine does not have yet
  std::size_t turn_ = 0;                       // of the lanes
  std::uint64_t batch_number_ = 0;
  std::int64_t outstanding_ = 0;  // accepted, not yet delivered
  bool accepting_ = true;
  bool aborting_ = false;
  bool stop_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  std::vector<BatchPtr> finished_;  // for the hand-over thread
  std::condition_variable finished_wake_;
  std::thread finisher_;
};

}  // namespace bindrt::pipeline
