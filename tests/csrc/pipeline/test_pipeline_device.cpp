// The pipeline with a simulated device: batches on their way at once, what it fails on, and its end.

#include <cmath>
#include <future>

#include "tests/csrc/pipeline/simulated_device.h"

namespace bindrt::simulated {
namespace {

using namespace std::chrono_literals;

struct DeviceWorld {
  explicit DeviceWorld(std::vector<LaneOptions> lanes, int depth = 3, int threads = 2)
      : device(std::make_shared<SimulatedDevice>(model, depth)),
        pipeline(Pipeline::make(std::move(lanes), model, Workers::make(threads), device)) {}

  void submit(int number, std::int64_t rows = 1, bool bad = false, bool leaves = false,
              bool unmakable = false) {
    items.push_back(std::make_shared<Item>());
    items.back()->number = number;
    items.back()->rows = rows;
    items.back()->bad = bad;
    items.back()->leaves = leaves;
    items.back()->unmakable = unmakable;
    items.back()->length = leaves ? 1 : 0;
    CHECK(pipeline->submit(request_for(items.back())) == Submitted::kAccepted);
  }
  void wait() { CHECK(pipeline->wait_delivered(Clock::now() + 60s)); }
  void check_done() const {
    for (const auto& item : items) {
      CHECK(item->deliveries.load() == 1 && item->outcome == Outcome::kDone);
      check_vector(*item);
    }
  }

  std::shared_ptr<Model> model = std::make_shared<Model>();
  std::shared_ptr<SimulatedDevice> device;
  std::shared_ptr<Pipeline> pipeline;
  std::vector<std::shared_ptr<Item>> items;
};

// Rows of 5 numbers: of 20 bytes, for which the simulated device has room.
LaneOptions lane_with_room() {
  LaneOptions options = lane("depth", 4);
  options.classes = length_classes({1});
  return options;
}

void test_the_device_makes_rows() {
  DeviceWorld world({lane_with_room()});
  for (int i = 0; i < 20; ++i) {
    world.submit(i, 1, false, i % 5 != 0);
  }
  world.wait();
  world.check_done();
  const LaneSnapshot found = world.pipeline->snapshot(0);
  CHECK(found.counts.rows_on_device == 16);
  CHECK(found.counts.bytes_to_device == 20 * 20);
}

// Also of an item with more views than run at once, which the engine gets in pieces.
void test_more_rows_than_run_at_once() {
  DeviceWorld world({lane_with_room()});
  for (int i = 0; i < 12; ++i) {
    world.submit(i, i % 3 == 0 ? 11 : 1, false, true);
  }
  world.wait();
  world.check_done();
  const LaneCounts counts = world.pipeline->snapshot(0).counts;
  CHECK(counts.rows_on_device == 4 * 11 + 8);
  CHECK(world.model->most_rows.load() <= 4);
  CHECK(static_cast<int>(counts.engine_calls) == world.model->calls.load());
}

// The engine runs alone on what the device failed on: then their rows are made here.
void test_rows_of_the_device_are_made_here_when_it_fails() {
  DeviceWorld world({lane_with_room()});
  world.model->fail_on(3);
  for (int i = 0; i < 24; ++i) {
    world.submit(i, 1, i == 3, true, i == 3 || i == 7);
  }
  world.wait();
  for (const auto& item : world.items) {
    if (item->number == 3) {
      CHECK(item->outcome == Outcome::kFailed);
      CHECK(item->message == "there is not enough memory to prepare it");
    } else if (item->number != 7) {
      CHECK(item->outcome == Outcome::kDone);
      check_vector(*item);
    } else {  // it may have shared the batch of the bad one
      CHECK(item->outcome == Outcome::kDone || item->message == "there is not enough memory to prepare it");
    }
  }
}

// Ready rows in memory of their owner, who may free it once the request is over.
void test_rows_that_are_lent() {
  LaneOptions options = lane_with_room();
  options.in_flight = 64;
  DeviceWorld world({options});
  world.model->fail_on(3);
  for (int i = 0; i < 40; ++i) {
    world.items.push_back(std::make_shared<Item>());
    Item& item = *world.items.back();
    item.number = i;
    item.rows = 1 + i % 2;
    item.bad = i == 3;
    const RequestPtr request = request_for(world.items.back());
    lend_ready(*request, item, 1);
    CHECK(world.pipeline->submit(request) == Submitted::kAccepted);
  }
  world.wait();
  for (const auto& item : world.items) {
    CHECK(item->outcome == (item->bad ? Outcome::kFailed : Outcome::kDone));
    CHECK(item->bad || item->vector.size() == static_cast<std::size_t>(kDim));
    CHECK(item->lent == nullptr);
  }
  const LaneCounts counts = world.pipeline->snapshot(0).counts;
  CHECK(counts.rows_copied == 0 && counts.rows_borrowed == 0 && counts.rows_on_device > 0);
}

// What the device wrote, what the engine alone made, and NaN where there is none.
void test_vectors_go_where_they_are_wanted() {
  DeviceWorld world({lane("image", 4)});
  world.model->fail_on(3);
  constexpr int kItems = 24;
  std::vector<float> there(std::size_t{kItems} * kDim, kPoison);
  for (int i = 0; i < kItems; ++i) {
    world.items.push_back(std::make_shared<Item>());
    Item& item = *world.items.back();
    item.number = i == 5 ? kNotFinite : i;
    item.bad = i == 3;
    const RequestPtr request = request_for(world.items.back());
    request->target = i % 2 == 0 ? 0 : reinterpret_cast<std::uintptr_t>(there.data() + i * kDim);
    CHECK(world.pipeline->submit(request) == Submitted::kAccepted);
  }
  world.wait();
  for (int i = 0; i < kItems; ++i) {
    const Item& item = *world.items[static_cast<std::size_t>(i)];
    const bool failed = i == 3 || i == 5;
    CHECK(item.outcome == (failed ? Outcome::kFailed : Outcome::kDone));
    for (std::int64_t at = 0; at < kDim; ++at) {
      const float found = there[static_cast<std::size_t>(i * kDim + at)];
      if (i % 2 == 0) {
        CHECK(found == kPoison);
      } else {
        CHECK(failed ? std::isnan(found) : found == item.vector[static_cast<std::size_t>(at)]);
      }
    }
  }
}

void test_batches_are_on_their_way_at_once() {
  LaneOptions options = lane("image", 4);
  options.in_flight = 40;
  DeviceWorld world({options});
  world.model->engine_microseconds = 5'000;
  for (int i = 0; i < 40; ++i) {
    world.submit(i);
  }
  world.wait();
  world.check_done();
  CHECK(world.device->most.load() >= 2);  // at most depth(): start() looks
  const LaneSnapshot found = world.pipeline->snapshot(0);
  CHECK(found.counts.engine_calls == found.counts.batches);
  CHECK(world.pipeline->engine_nanoseconds() > 0);
}

void test_culprits_are_found() {
  DeviceWorld world({lane("image", 8)});
  world.model->fail_on(3);
  world.model->fail_on(11);
  for (int i = 0; i < 32; ++i) {
    world.submit(i, 1, i == 3 || i == 11);
  }
  world.wait();
  for (const auto& item : world.items) {
    CHECK(item->outcome == (item->bad ? Outcome::kFailed : Outcome::kDone));
    CHECK(item->message == (item->bad ? "bad item" : ""));
  }
}

void test_out_of_memory_halves_the_batch() {
  LaneOptions options = lane("image", 16);
  options.item_rows = 5;
  DeviceWorld world({options});
  world.model->memory_rows = 3;
  for (int i = 0; i < 64; ++i) {
    world.submit(i, i % 2 == 0 ? 1 : 5);
  }
  world.wait();
  world.check_done();
  const LaneSnapshot found = world.pipeline->snapshot(0);
  CHECK(found.limit >= 1 && found.limit <= 3);
  const int starts = world.device->starts.load();
  for (int i = 100; i < 110; ++i) {
    world.submit(i);
  }
  world.wait();
  world.check_done();
  CHECK(world.device->starts.load() > starts);  // fewer rows run there again
}

void test_a_lost_device_fails_all_and_hangs_nobody() {
  DeviceWorld world({lane("image", 4)});
  world.model->engine_microseconds = 2'000;
  for (int i = 0; i < 30; ++i) {
    world.submit(i);
  }
  world.device->lost = true;
  world.submit(30);
  world.wait();
  for (const auto& item : world.items) {
    CHECK(item->deliveries.load() == 1);
    CHECK(item->outcome == Outcome::kDone || item->message == "the device is lost");
  }
  CHECK(world.items.back()->outcome == Outcome::kFailed);
}

// The second batch is refused while the first is on the device, which is lost before the engine could run the
// second alone.
void test_nothing_runs_alone_once_the_device_is_lost() {
  DeviceWorld world({lane("image", 1)}, 2);
  std::atomic<int> begun{0};
  world.device->at_start = [&] {
    if (begun.fetch_add(1) == 1) {
      throw std::runtime_error("refused");
    }
  };
  world.device->at_wait = [&] {
    while (begun.load() < 2) {
      std::this_thread::sleep_for(100us);
    }
    std::this_thread::sleep_for(5ms);
    world.device->lost = true;
  };
  for (int i = 0; i < 3; ++i) {
    world.submit(i);
  }
  world.wait();
  for (const auto& item : world.items) {
    CHECK(item->outcome == Outcome::kFailed && item->message == "the device is lost");
  }
  CHECK(world.model->calls.load() == 0);
  world.submit(3);
  world.wait();
  CHECK(world.items.back()->message == "the device is lost");
  CHECK(begun.load() == 2);  // and it was not asked again
  CHECK(world.pipeline->snapshot(0).device_lost && world.pipeline->snapshot(0).in_engine == 0);
}

// The engine, run alone for what the device did not take, is the first to meet the loss: it is asked once,
// not for each half of the batch.
void test_a_loss_that_the_engine_meets_ends_the_search() {
  DeviceWorld world({lane("image", 8)});
  world.device->at_start = [] { throw std::runtime_error("refused"); };
  world.model->on_call = [&](const EngineCall&) { world.device->lost = true; };
  world.model->held = true;  // until all are submitted
  for (int i = 0; i < 8; ++i) {
    world.model->fail_on(i);
    world.submit(i);
  }
  world.model->held = false;
  world.wait();
  for (const auto& item : world.items) {
    CHECK(item->outcome == Outcome::kFailed && item->message == "the device is lost");
  }
  CHECK(world.model->calls.load() == 1);
  CHECK(world.pipeline->snapshot(0).counts.splits == 0);
}

// The driver takes milliseconds to allocate page-locked memory, and waits for the device to free it: the
// pipeline must go on meanwhile.
void test_memory_is_allocated_and_freed_without_the_mutex() {
  DeviceWorld world({lane("image", 4)});
  std::atomic<int> looked{0};
  const auto look = [&] {
    auto other = std::async(std::launch::async, [&] { world.pipeline->snapshot(0); });
    CHECK(other.wait_for(20s) == std::future_status::ready);
    looked.fetch_add(1);
  };
  world.device->at_allocate = look;
  for (int i = 0; i < 20; ++i) {
    world.submit(i, i % 3 == 0 ? 5 : 1);  // five rows have a batch of their own, which is freed after it
  }
  world.wait();
  world.check_done();
  world.pipeline->close(Closing::kDrain);  // the threads are over
  world.device->at_allocate = nullptr;     // for the memory that is freed with the pipeline
  CHECK(looked.load() > 0);
}

// Threads that want a batch of the same length wait for the one that is being made.
void test_a_batch_is_made_once() {
  LaneOptions options = lane("image", 8);
  options.in_flight = 100;
  DeviceWorld world({options}, 3, 8);
  world.device->at_allocate = [] { std::this_thread::sleep_for(20ms); };
  for (int i = 0; i < 8; ++i) {
    world.submit(i);
  }
  world.wait();
  world.check_done();
  CHECK(world.device->together.load() == 1);
  world.pipeline->close(Closing::kDrain);
  world.device->at_allocate = nullptr;
}

// Its only worker is busy until after the deadline, so that the engine's thread finds the batch late.
void test_a_batch_that_is_late_goes_nowhere() {
  LaneOptions options = lane("image", 4);
  options.max_wait = 60s;
  DeviceWorld world({options}, 1, 1);
  world.model->on_delivery = [](const Delivery& delivery) {
    if (delivery.outcome == Outcome::kFailed) {
      std::this_thread::sleep_for(50ms);
    }
  };
  const auto slow = std::make_shared<Item>();
  slow->slow = 50'000;
  slow->throws = true;
  CHECK(world.pipeline->submit(request_for(slow)) == Submitted::kAccepted);
  while (world.pipeline->snapshot(0).preparing == 0) {
    std::this_thread::sleep_for(100us);
  }
  const auto late = std::make_shared<Item>();
  const RequestPtr request = request_for(late);
  make_ready(*request, *late, 0);
  request->deadline = Clock::now() + 10ms;
  CHECK(world.pipeline->submit(request) == Submitted::kAccepted);
  world.wait();
  CHECK(late->outcome == Outcome::kExpired && slow->outcome == Outcome::kFailed);
  CHECK(world.device->starts.load() == 0);
  const LaneSnapshot found = world.pipeline->snapshot(0);
  CHECK(found.counts.batches == 0 && found.in_flight == 0);
}

void test_close_at_once() {
  for (int round = 0; round < 50; ++round) {
    DeviceWorld world({lane("image", 4)}, 2);
    for (int i = 0; i < 20; ++i) {
      world.submit(i);
    }
    world.pipeline->close(Closing::kAbort);
    for (const auto& item : world.items) {
      CHECK(item->deliveries.load() == 1);
      CHECK(item->outcome == Outcome::kDone || item->outcome == Outcome::kClosed);
    }
  }
}

}  // namespace
}  // namespace bindrt::simulated

int main() {
  using namespace bindrt::simulated;
  test_the_device_makes_rows();
  test_more_rows_than_run_at_once();
  test_rows_of_the_device_are_made_here_when_it_fails();
  test_rows_that_are_lent();
  test_vectors_go_where_they_are_wanted();
  test_batches_are_on_their_way_at_once();
  test_culprits_are_found();
  test_out_of_memory_halves_the_batch();
  test_a_lost_device_fails_all_and_hangs_nobody();
  test_nothing_runs_alone_once_the_device_is_lost();
  test_a_loss_that_the_engine_meets_ends_the_search();
  test_memory_is_allocated_and_freed_without_the_mutex();
  test_a_batch_is_made_once();
  test_a_batch_that_is_late_goes_nowhere();
  test_close_at_once();
  return bindrt::testing::finish();
}
