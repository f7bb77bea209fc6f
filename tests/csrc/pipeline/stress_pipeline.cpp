// Random schedules: submitters, cancels, deadlines, faults of preparing and of the engine, delays anywhere,
// and an end at any moment. Every accepted request must be delivered once, with its own vector or a reason it
// has.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>

#include "tests/cpp/stress.h"
#include "tests/csrc/pipeline/simulated_device.h"
#if defined(BINDRT_STRESS_GPU)
#include "tests/csrc/gpu/stress_device.h"
#endif

namespace bindrt::stress {
namespace {

using namespace bindrt::simulated;

// After which a case hangs.
unsigned seconds() {
  const char* const given = std::getenv("BINDRT_STRESS_SECONDS");
  return given == nullptr ? 60U : static_cast<unsigned>(std::atoi(given));
}

// Where a vector is wanted on the device, and ready rows that are there.
#if defined(BINDRT_STRESS_GPU)
using Place = gpu::StressPlace;
void lend_rows(Request& request, Item& item, std::int64_t length) { gpu::lend_rows(request, item, length); }
#else
class Place {
 public:
  std::uint64_t address() const noexcept { return reinterpret_cast<std::uintptr_t>(vector_.data()); }
  std::vector<float> read() const { return vector_; }

 private:
  std::vector<float> vector_ = std::vector<float>(static_cast<std::size_t>(kDim), kPoison);
};
void lend_rows(Request& request, Item& item, std::int64_t length) { lend_ready(request, item, length); }
#endif

struct Planned {
  std::shared_ptr<Item> item = std::make_shared<Item>();
  RequestPtr request;
  bool cancels = false;
  bool accepted = false;
  int after = 0;  // microseconds before it is submitted
  std::shared_ptr<Place> there;
  // With so many that follow it, it is a batch as it is; their rows lie one after the other.
  std::size_t followers = 0;
  std::vector<float> rows;
};

struct Schedule {
  explicit Schedule(Bytes& bytes) {
    const int lane_count = bytes.number(1, 3);
    for (int i = 0; i < lane_count; ++i) {
      lanes.push_back(random_lane(bytes));
    }
    model->jitter = bytes.chance(3) ? 0 : static_cast<int>(bytes.small(1, 300));
    model->engine_microseconds = static_cast<int>(bytes.chance(2) ? 0 : bytes.small(1, 500));
    if (bytes.chance(5)) {
      model->memory_rows = bytes.range(0, 4);
    }
    workers = bytes.number(1, 3);
    device = random_device(bytes);
    const int submitters = bytes.number(1, 3);
    planned.resize(static_cast<std::size_t>(submitters));
    std::mt19937 random = bytes.random();
    const auto count = static_cast<int>(bytes.small(1, 24));
    int number = 0;
    for (std::vector<Planned>& plan : planned) {
      for (int i = 0; i < count; ++i) {
        plan.push_back(random_request(random, number++, bytes.chance(40)));
      }
      for (std::size_t at = 0; at < plan.size(); at += plan[at].followers + 1) {
        if (bytes.chance(4)) {
          put_together(bytes, std::span(plan).subspan(at));
        }
      }
    }
    aborts = bytes.chance(3);
    abort_after = static_cast<int>(bytes.small(0, 3000));
  }

  std::shared_ptr<Device> random_device(Bytes& bytes) {
#if defined(BINDRT_STRESS_GPU)
    return std::make_shared<gpu::StressDevice>(model, lanes, bytes);
#else
    return bytes.chance(2) ? nullptr : std::make_shared<SimulatedDevice>(model, bytes.number(1, 4));
#endif
  }

  static LaneOptions random_lane(Bytes& bytes) {
    LaneOptions options = lane("lane", bytes.small(1, 9), bytes.chance(2) ? 1 : bytes.range(1, 5));
    if (bytes.chance(2)) {
      options.classes = length_classes({2, 5, 9});
    }
    options.queue = static_cast<std::size_t>(bytes.small(1, 40));
    options.in_flight = bytes.chance(3) ? 0 : bytes.small(1, 40);
    options.max_wait = std::chrono::microseconds(bytes.one_of({0, 100, 2000}));
    options.spin = std::chrono::microseconds(bytes.one_of({0, 0, 50}));
    return options;
  }

  Planned random_request(std::mt19937& random, int number, bool hopeless) {
    const auto any = [&random](int from, int to) {
      return std::uniform_int_distribution<int>(from, to)(random);
    };
    const auto chance = [&any](int of) { return any(1, of) == 1; };
    Planned made;
    const int to = any(0, static_cast<int>(lanes.size()) - 1);
    Item& item = *made.item;
    item.number = number;
    item.rows = chance(3) ? any(1, 12) : 1;
    const std::int64_t longest = lanes[static_cast<std::size_t>(to)].classes.back().length;
    item.length = any(0, static_cast<int>(longest));
    item.weighted = chance(4);
    item.throws = chance(15);
    item.unreadable = chance(15);
    item.leaves = chance(2);
    item.tried = chance(8) ? any(1, 6) : 0;
    item.slow = chance(6) ? any(1, 500) : 0;
    if (chance(12) || hopeless) {
      item.bad = true;
      model->fail_on(number);
    }
    made.request = request_for(made.item, to);
    if (chance(3)) {
      item.weighted = item.throws = item.unreadable = false;
      make_ready(*made.request, item, longest);
    } else if (chance(4)) {
      item.weighted = item.throws = item.unreadable = false;
      lend_rows(*made.request, item, longest);
    }
    if (device != nullptr && chance(3)) {
      made.there = std::make_shared<Place>();
      made.request->target = made.there->address();
    }
    made.request->by_submitter = chance(3);
    made.request->patient = chance(3);
    made.request->priority = any(0, 2);
    made.request->caller = static_cast<std::uint64_t>(any(0, 2));
    if (chance(6)) {
      made.request->deadline = Clock::now() + std::chrono::microseconds(any(-100, 5000));
    }
    made.cancels = chance(6);
    made.after = chance(4) ? any(0, 300) : 0;
    return made;
  }

  // The first ones as one batch, of a length that is a class's if a device takes it.
  void put_together(Bytes& bytes, std::span<Planned> plan) {
    plan = plan.first(static_cast<std::size_t>(bytes.range(1, std::min<std::int64_t>(5, std::ssize(plan)))));
    Planned& first = plan.front();
    const std::int64_t longest = lanes[static_cast<std::size_t>(first.request->lane)].classes.back().length;
    const std::int64_t length = device == nullptr ? bytes.range(0, longest) : longest;
    const std::int64_t numbers = kRowNumbers + length;
    first.followers = plan.size() - 1;
    for (const Planned& each : plan) {
      Item& item = *each.item;
      item.weighted = item.throws = item.unreadable = false;
      item.length = length;
      each.request->lane = first.request->lane;
      each.request->by_submitter = first.request->by_submitter;
      each.request->ready.reset();
      const std::size_t before = first.rows.size();
      first.rows.resize(before + static_cast<std::size_t>(item.rows * numbers));
      item.write(first.rows.data() + before, numbers);
    }
  }

  std::shared_ptr<simulated::Model> model = std::make_shared<simulated::Model>();
  std::vector<LaneOptions> lanes;
  std::vector<std::vector<Planned>> planned;
  bool aborts = false;
  int abort_after = 0;
  int workers = 1;
  std::shared_ptr<Device> device;
};

void sleep(int microseconds) { std::this_thread::sleep_for(std::chrono::microseconds(microseconds)); }

Submitted submit_together(Pipeline& pipeline, std::span<Planned> plan) {
  std::vector<RequestPtr> requests;
  std::vector<std::int64_t> counts;
  std::int64_t rows = 0;
  for (const Planned& each : plan) {
    requests.push_back(each.request);
    counts.push_back(each.item->rows);
    rows += each.item->rows;
  }
  const std::int64_t length = plan.front().item->length;
  const auto row_bytes = (kRowNumbers + length) * static_cast<std::int64_t>(sizeof(float));
  return pipeline.submit_batch(requests, {plan.front().rows.data(), rows, row_bytes, length}, counts);
}

Submitted submit_alone(Pipeline& pipeline, const RequestPtr& request) {
  Submitted answer = Submitted::kFull;
  while ((answer = pipeline.submit(request)) == Submitted::kFull) {
    pipeline.wait_for_room(request->lane, Clock::now() + std::chrono::seconds(60));
  }
  return answer;
}

void submit_all(Pipeline& pipeline, std::vector<Planned>& plan) {
  for (std::size_t at = 0; at < plan.size();) {
    const auto now = std::span(plan).subspan(at, plan[at].followers + 1);
    const RequestPtr& first = now.front().request;
    sleep(now.front().after);
    const bool is_batch = !now.front().rows.empty();
    const Submitted answer = is_batch ? submit_together(pipeline, now) : submit_alone(pipeline, first);
    if (first->by_submitter) {
      pipeline.run_here(first->caller);
    }
    for (Planned& each : now) {
      each.accepted = answer == Submitted::kAccepted;
    }
    at += now.size();
  }
}

void cancel_some(Pipeline& pipeline, const std::vector<Planned>& plan, std::atomic<bool>& ended) {
  for (const Planned& each : plan) {
    if (each.cancels && !ended.load()) {
      sleep(each.after);
      pipeline.cancel(each.request);
    }
  }
}

void check_item(const Planned& each, bool aborts, bool short_of_memory) {
  const Item& item = *each.item;
  CHECK(item.deliveries.load() == (each.accepted ? 1 : 0));
  if (!each.accepted) {
    CHECK(aborts);
    return;
  }
  switch (item.outcome) {
    case Outcome::kDone:
      CHECK(!item.bad && !item.throws && !item.unreadable);
      check_vector(item);
      break;
    case Outcome::kFailed:
      CHECK(item.bad || item.throws || item.unreadable || short_of_memory);
      break;
    case Outcome::kCancelled:
      CHECK(each.cancels);
      break;
    case Outcome::kExpired:
      CHECK(each.request->deadline && *each.request->deadline <= Clock::now());
      break;
    case Outcome::kClosed:
      CHECK(aborts);
      break;
  }
  if (item.outcome != Outcome::kDone) {
    CHECK(item.vector.empty());
  }
  if (each.there != nullptr) {
    const std::vector<float> found = each.there->read();
    const auto nothing = [](float value) { return value == kPoison || std::isnan(value); };
    CHECK(item.outcome == Outcome::kDone ? found == item.vector : std::ranges::all_of(found, nothing));
  }
}

void check_counts(Pipeline& pipeline, const Schedule& schedule) {
  for (std::size_t i = 0; i < schedule.lanes.size(); ++i) {
    const LaneSnapshot found = pipeline.snapshot(static_cast<int>(i));
    CHECK(found.queued == 0 && found.preparing == 0 && found.in_flight == 0);
    const LaneCounts& counts = found.counts;
    CHECK(counts.submitted ==
          counts.done + counts.failed + counts.cancelled + counts.expired + counts.closed);
    CHECK(found.limit >= 1 && found.limit <= schedule.lanes[i].max_batch);
  }
}

}  // namespace

void one_case(Bytes& bytes) {
  alarm(seconds());  // until the next case: what follows, and taking it all down, may hang as well
  Schedule schedule(bytes);
  const auto workers = Workers::make(schedule.workers);
  const auto pipeline = Pipeline::make(schedule.lanes, schedule.model, workers, schedule.device);
  std::vector<std::thread> threads;
  std::atomic<bool> ended{false};
  for (std::vector<Planned>& plan : schedule.planned) {
    threads.emplace_back(submit_all, std::ref(*pipeline), std::ref(plan));
    threads.emplace_back(cancel_some, std::ref(*pipeline), std::cref(plan), std::ref(ended));
  }
  if (schedule.aborts) {
    sleep(schedule.abort_after);
    pipeline->close(Closing::kAbort);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  pipeline->close(Closing::kDrain);
  ended = true;
  for (const std::vector<Planned>& plan : schedule.planned) {
    for (const Planned& each : plan) {
      check_item(each, schedule.aborts, schedule.model->memory_rows.load() < 1);
    }
  }
  check_counts(*pipeline, schedule);
}

}  // namespace bindrt::stress
