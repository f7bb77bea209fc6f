// The pipeline with a simulated model: values, order, batches and memory, each alone. How requests fail and
// end: test_pipeline_ends.cpp; all mixed: stress_pipeline.cpp.

#include <unistd.h>

#include <algorithm>

#include "tests/csrc/pipeline/simulated_pipeline.h"

namespace bindrt::simulated {
namespace {

using namespace std::chrono_literals;

void test_histogram() {
  Histogram histogram;
  CHECK(histogram.percentile(0.5) == 0);
  for (std::int64_t i = 1; i <= 100'000; ++i) {
    histogram.record(i);
  }
  CHECK(histogram.count() == 100'000);
  for (const double fraction : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double want = fraction * 100'000;
    const auto got = static_cast<double>(histogram.percentile(fraction));
    CHECK(got >= want && got <= want * (1 + 1.0 / 32));
  }
  CHECK(histogram.largest() == 100'000);
  const std::vector<std::uint64_t> below = histogram.below_powers(4, 18);
  for (int bits = 4; bits <= 16; ++bits) {
    CHECK(below[static_cast<std::size_t>(bits - 4)] == (std::uint64_t{1} << bits) - 1);
  }
  CHECK(below[13] == 100'000 && below[14] == 100'000 && below[15] == 100'000 && below.size() == 16);
  histogram.record(-5);
  histogram.record(std::int64_t{1} << 62);
  CHECK(histogram.percentile(1.0) == (std::int64_t{1} << 42) - 1);
  CHECK(histogram.below_powers(41, 60) == [] {
    std::vector<std::uint64_t> want(21, 100'002);
    want[0] = 100'001;
    return want;
  }());
  CHECK(histogram.percentile(0.0) == 0);
}

void test_queue_order() {
  RequestQueue queue;
  std::vector<RequestPtr> made;
  const auto push = [&](int priority, std::uint64_t caller) {
    auto request = std::make_shared<Request>();
    request->priority = priority;
    request->caller = caller;
    queue.push(request);
    made.push_back(request);
  };
  for (int i = 0; i < 3; ++i) {
    push(0, 1);  // 0 1 2
  }
  push(0, 2);  // 3
  push(5, 3);  // 4
  push(0, 2);  // 5
  queue.erase(made[1]);
  const std::size_t want[] = {4, 0, 3, 2, 5};  // priority, then the callers in turn
  for (const std::size_t each : want) {
    CHECK(queue.pop() == made[each]);
  }
  CHECK(queue.empty());
}

void test_values_and_sizes() {
  World world({lane("image", 4), lane("video", 4, 15)});
  world.model->engine_microseconds = 500;
  for (int i = 0; i < 40; ++i) {
    const auto item = world.item(i, i % 3 == 0 ? 1 + i : 1);  // some larger than any batch
    item->weighted = i % 2 == 1;
    world.submit(item, i % 2);
  }
  world.drain();
  check_all_done(world);
  CHECK(world.model->most_rows.load() == 4);
  CHECK(world.pipeline->snapshot(0).in_flight == 0);
  CHECK(world.pipeline->snapshot(0).in_engine == 0);
  CHECK(world.pipeline->snapshot(0).counts.done == 20);
  CHECK(world.pipeline->times(1, Stage::kTotal).count() == 20);
}

void test_batches_wait_for_more_only_while_more_comes() {
  LaneOptions options = lane("text", 8);
  options.max_wait = 600s;  // longer than the alarm
  World world({options});
  world.submit(world.item(1));  // alone: nothing to wait for
  while (world.items[0]->deliveries.load() == 0) {
    std::this_thread::sleep_for(100us);
  }
  std::vector<RequestPtr> requests;  // submitted at once: the slow ones let the others wait
  for (int i = 2; i < 18; ++i) {
    const auto item = world.item(i);
    item->slow = 2000;
    requests.push_back(request_for(item));
  }
  CHECK(world.pipeline->submit_all(requests).accepted == requests.size());
  world.drain();
  check_all_done(world);
  const LaneSnapshot found = world.pipeline->snapshot(0);
  CHECK(found.counts.batches == 3);
  CHECK(found.batch_sizes[8] == 2);
}

void test_age_sends_a_batch() {
  LaneOptions options = lane("text", 8);
  options.max_wait = 5ms;
  World world({options});
  const auto quick = world.item(1);
  const auto slow = world.item(2);
  slow->held = true;
  world.submit(slow);
  world.submit(quick);
  while (quick->deliveries.load() == 0) {
    std::this_thread::sleep_for(100us);
  }
  CHECK(slow->deliveries.load() == 0);
  slow->held = false;
  world.drain();
  check_all_done(world);
}

void test_length_classes() {
  LaneOptions options = lane("text", 4);
  options.classes = length_classes({8, 16, 77});
  World world({options});
  world.model->engine_microseconds = 1000;
  for (int i = 0; i < 30; ++i) {
    const auto item = world.item(i);
    item->length = (i * 7) % 78;
    const RequestPtr request = request_for(item);
    if (i % 2 == 0) {
      make_ready(*request, *item, 77);  // copied as far as its class goes
    }
    CHECK(world.pipeline->submit(request) == Submitted::kAccepted);
  }
  const auto too_long = world.item(99);
  too_long->length = 78;
  world.submit(too_long);
  world.drain();
  world.items.pop_back();
  check_all_done(world);
  CHECK(too_long->outcome == Outcome::kFailed);
  for (const auto& item : world.items) {
    const float want = item->length <= 8 ? 8.0F : item->length <= 16 ? 16.0F : 77.0F;
    CHECK(item->vector[2] == want);
  }
}

void test_copies() {
  World world({lane("image", 4)});
  const auto whole = world.item(7, 6);
  const RequestPtr borrowed = request_for(whole);
  make_ready(*borrowed, *whole, 0);
  CHECK(world.pipeline->submit(borrowed) == Submitted::kAccepted);
  const auto single = world.item(8);
  const RequestPtr copied = request_for(single);
  make_ready(*copied, *single, 0);
  CHECK(world.pipeline->submit(copied) == Submitted::kAccepted);
  world.submit(world.item(9));  // written into its slot by preparing
  world.drain();
  check_all_done(world);
  const LaneCounts counts = world.pipeline->snapshot(0).counts;
  CHECK(counts.rows_borrowed == 6);
  CHECK(counts.rows_copied == 1);
  CHECK(counts.rows_moved == 0);
}

void test_reserving_again() {
  World world({lane("image", 4)});
  for (int i = 0; i < 40; ++i) {
    const auto item = world.item(i, 1 + i % 3);
    item->tried = i % 4 == 0 ? 0 : 1 + i % 6;  // 5 and 6: a batch of their own, which nothing is left of
    item->unreadable = i % 10 == 9;
    world.submit(item);
  }
  world.drain();
  for (const auto& item : world.items) {
    CHECK(item->outcome == (item->unreadable ? Outcome::kFailed : Outcome::kDone));
  }
  LaneSnapshot found = world.pipeline->snapshot(0);
  CHECK(found.in_flight == 0);
  CHECK(found.counts.rows_copied == 0);
}

void test_memory_is_allocated_once() {
  World world({lane("image", 4)});
  world.model->engine_microseconds = 200;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 200; ++i) {
      world.submit(world.item(i));
    }
    CHECK(world.pipeline->wait_delivered(Clock::now() + 30s));
  }
  LaneSnapshot found = world.pipeline->snapshot(0);
  while (found.in_flight > 0) {  // the last batch comes back a moment after its vectors
    std::this_thread::sleep_for(1ms);
    found = world.pipeline->snapshot(0);
  }
  CHECK(found.counts.batches_made <= 6);  // in flight: three full ones, or some of them half-full
  CHECK(found.batch_bytes == found.counts.batches_made * 4 * kRowNumbers * sizeof(float));
  world.submit(world.item(3));
  world.drain();
  check_all_done(world);
}

void test_priorities() {
  LaneOptions options = lane("image", 1);
  options.in_flight = 1;
  World world({options}, 1);
  std::mutex mutex;
  std::vector<int> order;
  world.model->on_delivery = [&](const Delivery& delivery) {
    const std::lock_guard lock(mutex);
    order.push_back(static_cast<const Item*>(delivery.request->tag.get())->number);
  };
  world.model->held = true;
  world.submit(world.item(0));
  world.wait_for_engine();
  world.submit(world.item(1));
  world.submit(world.item(2));
  world.submit(world.item(3), 0, 9);
  world.drain();
  CHECK((order == std::vector<int>{0, 3, 1, 2}));
}

void test_lanes_take_turns() {
  World world({lane("image", 4), lane("video", 4), lane("text", 4)});
  world.model->engine_microseconds = 1000;
  for (int i = 0; i < 60; ++i) {
    world.submit(world.item(i), i % 3);
  }
  world.drain();
  check_all_done(world);
  CHECK(world.pipeline->engine_nanoseconds() > 0);
}

void test_pipelines_share_workers() {
  World world({lane("image", 4)});
  const auto other_model = std::make_shared<Model>();
  std::vector<std::shared_ptr<Item>> others;
  {
    const auto other = Pipeline::make({lane("image", 4)}, other_model, world.workers);
    for (int i = 0; i < 50; ++i) {
      world.submit(world.item(i));
      others.push_back(std::make_shared<Item>());
      CHECK(other->submit(request_for(others.back())) == Submitted::kAccepted);
    }
    other->close(Closing::kDrain);
  }
  for (const auto& item : others) {
    CHECK(item->outcome == Outcome::kDone);
  }
  world.drain();
  check_all_done(world);
}

void test_a_vector_has_its_times() {
  World world({lane("image", 4)});
  std::atomic<int> right{0};
  std::atomic<int> without{0};
  world.model->on_delivery = [&](const Delivery& delivery) {
    const Request& request = *delivery.request;
    if (delivery.vector == nullptr) {
      without += delivery.run_begin == Time() && delivery.run_end == Time() ? 1 : 0;
    } else {
      right += request.submitted <= request.started && request.started <= request.prepared &&
                       request.prepared <= delivery.run_begin && delivery.run_begin <= delivery.run_end
                   ? 1
                   : 0;
    }
  };
  world.model->fail_on(5);
  for (int i = 0; i < 12; ++i) {
    world.submit(world.item(i));
  }
  world.drain();
  CHECK(right == 11 && without == 1);
}

void test_trace() {
  World world({lane("im\"age", 2)});
  world.pipeline->trace().start(3, Clock::now());
  for (int i = 0; i < 8; ++i) {
    world.submit(world.item(i));
  }
  world.drain();
  world.pipeline->trace().stop();
  const std::string events = world.pipeline->trace_events();
  CHECK(events.find("\"ph\": \"X\"") != std::string::npos);
  CHECK(events.find("\"ph\": \"M\"") != std::string::npos);
  CHECK(events.find("im_age") != std::string::npos);
  CHECK(world.pipeline->trace().missed() > 0);
}

void test_wrong_options() {
  const auto refused = [](const LaneOptions& options) {
    try {
      Pipeline::make({options}, std::make_shared<Model>(), Workers::make(1));
      return false;
    } catch (const std::invalid_argument&) {
      return true;
    }
  };
  LaneOptions options = lane("image", 0);
  CHECK(refused(options));
  options = lane("image", 1);
  options.classes = length_classes({8, 8});
  CHECK(refused(options));
}

}  // namespace
}  // namespace bindrt::simulated

int main() {
  using namespace bindrt::simulated;
  alarm(120);  // a lost request would be waited for for ever
  test_histogram();
  test_queue_order();
  test_values_and_sizes();
  test_batches_wait_for_more_only_while_more_comes();
  test_age_sends_a_batch();
  test_length_classes();
  test_copies();
  test_reserving_again();
  test_memory_is_allocated_once();
  test_priorities();
  test_lanes_take_turns();
  test_pipelines_share_workers();
  test_a_vector_has_its_times();
  test_trace();
  test_wrong_options();
  return bindrt::testing::finish();
}
