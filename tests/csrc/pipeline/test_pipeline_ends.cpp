// The pipeline with a simulated model: faults, overload, deadlines, cancelling, closing.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/csrc/pipeline/simulated_pipeline.h"

namespace bindrt::simulated {
namespace {

using namespace std::chrono_literals;

void test_culprits_are_found() {
  World world({lane("image", 16)});
  world.model->held = true;
  world.submit(world.item(1000));
  world.wait_for_engine();
  for (int i = 0; i < 16; ++i) {
    world.submit(world.item(i));
  }
  world.model->fail_on(3);
  world.model->fail_on(11);
  world.drain();
  for (const auto& item : world.items) {
    const bool bad = item->number == 3 || item->number == 11;
    CHECK(item->outcome == (bad ? Outcome::kFailed : Outcome::kDone));
    CHECK(item->message == (bad ? "bad item" : ""));
  }
  CHECK(world.pipeline->snapshot(0).counts.splits > 0);
}

void test_out_of_memory_halves_the_batch() {
  World world({lane("image", 16)});
  world.model->memory_rows = 3;
  for (int i = 0; i < 64; ++i) {
    world.submit(world.item(i, i % 2 == 0 ? 1 : 5));
  }
  CHECK(world.pipeline->wait_delivered(Clock::now() + 30s));
  check_all_done(world);
  LaneSnapshot found = world.pipeline->snapshot(0);
  CHECK(found.limit >= 1 && found.limit <= 3);
  CHECK(found.counts.halvings >= 1 && found.counts.halvings <= 3);
  world.model->memory_rows = 0;  // not even one
  const auto item = world.item(99);
  world.submit(item);
  CHECK(world.pipeline->wait_delivered(Clock::now() + 30s));
  CHECK(item->outcome == Outcome::kFailed);
  CHECK(item->message == "out of memory");
}

void test_failed_items_leave_their_neighbours() {
  World world({lane("image", 8)});
  for (int i = 0; i < 60; ++i) {
    const auto item = world.item(i, 1 + i % 4);
    item->unreadable = i % 5 == 2;
    item->throws = i % 7 == 3;
    world.submit(item);
  }
  world.drain();
  for (const auto& item : world.items) {
    CHECK(item->deliveries.load() == 1);
    const bool bad = item->unreadable || item->throws;
    CHECK(item->outcome == (bad ? Outcome::kFailed : Outcome::kDone));
    if (!bad) {
      check_vector(*item);
    } else {
      CHECK(item->message == (item->throws ? "cannot be read" : "damaged"));
    }
  }
  CHECK(world.pipeline->snapshot(0).in_flight == 0);
}

// The engine writes NaN for an item of that number; neighbours keep their vectors.
void test_vectors_that_may_not_be_handed_out() {
  World world({lane("image", 8)});
  for (int i = 0; i < 40; ++i) {
    world.submit(world.item(i % 7 == 3 ? kNotFinite : i));
  }
  world.drain();
  for (const auto& item : world.items) {
    const bool bad = item->number == kNotFinite;
    CHECK(item->deliveries.load() == 1);
    CHECK(item->outcome == (bad ? Outcome::kFailed : Outcome::kDone));
    CHECK(item->message == (bad ? "its vector is not finite" : ""));
    CHECK(item->vector.empty() == bad);
  }
  CHECK(world.pipeline->snapshot(0).counts.failed == 6);
}

void test_overload() {
  LaneOptions options = lane("image", 1);
  options.queue = 3;
  options.in_flight = 1;
  World world({options});
  world.model->held = true;
  world.submit(world.item(0));
  world.wait_for_engine();
  for (int i = 1; i <= 3; ++i) {
    world.submit(world.item(i));
  }
  const auto refused = std::make_shared<Item>();
  CHECK(world.pipeline->submit(request_for(refused)) == Submitted::kFull);
  CHECK(!world.pipeline->wait_for_room(0, Clock::now() + 1ms));
  world.model->held = false;
  CHECK(world.pipeline->wait_for_room(0, Clock::now() + 60s));
  world.submit(world.item(4));
  world.drain();
  check_all_done(world);
  CHECK(refused->deliveries.load() == 0);
  CHECK(world.pipeline->snapshot(0).counts.refused == 1);
  CHECK(world.pipeline->submit(request_for(refused)) == Submitted::kClosed);
  CHECK(!world.pipeline->wait_for_room(0, Clock::now() + 20s));
}

void test_who_waits_for_room_is_woken_for_an_eighth() {
  LaneOptions options = lane("image", 1);
  options.queue = 16;
  options.in_flight = 1;
  World world({options});
  world.model->held = true;
  world.model->engine_microseconds = 20'000;
  world.submit(world.item(0));
  world.wait_for_engine();
  for (int i = 1; i <= 16; ++i) {
    world.submit(world.item(i));
  }
  world.model->held = false;
  CHECK(world.pipeline->wait_for_room(0, Clock::now() + 60s));
  CHECK(world.pipeline->snapshot(0).queued <= 14);
  CHECK(world.pipeline->wait_for_room(0, Clock::now()));  // there is some: nothing to wait for
  world.drain();
  check_all_done(world);
}

void test_deadlines() {
  LaneOptions options = lane("image", 1);
  options.in_flight = 2;
  World world({options});
  world.model->held = true;
  world.submit(world.item(0));
  world.wait_for_engine();
  const auto with_deadline = [&](int number, Clock::duration after) {
    const auto item = world.item(number);
    const RequestPtr request = request_for(item);
    request->deadline = Clock::now() + after;
    CHECK(world.pipeline->submit(request) == Submitted::kAccepted);
    return item;
  };
  const auto past = with_deadline(1, -1ms);
  const auto placed = with_deadline(2, 20ms);
  const auto queued = with_deadline(3, 20ms);
  const auto late_enough = with_deadline(4, 600s);  // longer than the alarm
  while (placed->deliveries.load() == 0 || queued->deliveries.load() == 0) {
    std::this_thread::sleep_for(100us);
  }  // told at its deadline: the engine is not free before
  world.drain();
  CHECK(past->outcome == Outcome::kExpired);
  CHECK(placed->outcome == Outcome::kExpired);
  CHECK(queued->outcome == Outcome::kExpired);
  CHECK(late_enough->outcome == Outcome::kDone);
  CHECK(world.model->calls.load() == 2);  // none of them cost work
}

// Ready input goes into its batch in the caller's thread; the workers, asleep, must hear of its deadline.
void test_deadline_of_ready_input() {
  LaneOptions options = lane("image", 1);
  options.in_flight = 2;
  World world({options});
  world.model->held = true;
  world.submit(world.item(0));
  world.wait_for_engine();
  std::this_thread::sleep_for(5ms);  // until the workers sleep
  const auto item = world.item(1);
  const RequestPtr request = request_for(item);
  make_ready(*request, *item, 0);
  request->deadline = Clock::now() + 20ms;
  CHECK(world.pipeline->submit(request) == Submitted::kAccepted);
  while (item->deliveries.load() == 0) {
    std::this_thread::sleep_for(100us);
  }
  world.drain();
  CHECK(item->outcome == Outcome::kExpired);
}

void test_cancel_at_each_stage() {
  LaneOptions options = lane("image", 4);
  options.in_flight = 3;
  World world({options});
  world.model->held = true;
  const RequestPtr running = world.submit(world.item(0));
  world.wait_for_engine();
  const RequestPtr placed = world.submit(world.item(1));
  while (world.pipeline->times(0, Stage::kPrepare).count() < 2) {
    std::this_thread::sleep_for(100us);
  }
  const auto slow = world.item(2);
  slow->held = true;
  const RequestPtr preparing = world.submit(slow);
  while (world.pipeline->snapshot(0).preparing == 0) {
    std::this_thread::sleep_for(100us);
  }
  const RequestPtr queued = world.submit(world.item(3));
  for (const RequestPtr& request : {running, placed, preparing, queued, queued}) {
    world.pipeline->cancel(request);
  }
  slow->held = false;
  world.drain();
  CHECK(world.items[0]->outcome == Outcome::kDone);
  for (int i = 1; i < 4; ++i) {
    CHECK(world.items[static_cast<std::size_t>(i)]->outcome == Outcome::kCancelled);
    CHECK(world.items[static_cast<std::size_t>(i)]->deliveries.load() == 1);
  }
  world.pipeline->cancel(running);
  CHECK(world.model->calls.load() == 1);
  CHECK(world.pipeline->snapshot(0).in_flight == 0);
}

void test_abort() {
  LaneOptions options = lane("image", 1);
  options.in_flight = 2;
  World world({options});
  world.model->held = true;
  for (int i = 0; i < 10; ++i) {
    world.submit(world.item(i));
  }
  world.wait_for_engine();
  world.pipeline->begin_close(Closing::kAbort);
  world.model->held = false;
  world.pipeline->close(Closing::kAbort);
  world.pipeline->close(Closing::kAbort);
  CHECK(std::count_if(world.items.begin(), world.items.end(),
                      [](const auto& item) { return item->outcome == Outcome::kDone; }) == 1);
  for (const auto& item : world.items) {
    CHECK(item->deliveries.load() == 1);
    CHECK(item->outcome == Outcome::kDone || item->outcome == Outcome::kClosed);
  }
}

void test_closing_in_a_callback() {
  World world({lane("image", 1)});
  std::atomic<int> refused{0};
  world.model->on_delivery = [&](const Delivery&) {
    try {
      world.pipeline->close(Closing::kDrain);
    } catch (const std::logic_error&) {
      ++refused;
    }
  };
  world.submit(world.item(1));
  CHECK(world.pipeline->wait_delivered(Clock::now() + 30s));
  CHECK(refused.load() == 1);
  world.model->on_delivery = nullptr;
}

void test_fork() {
  World world({lane("image", 4)});
  world.submit(world.item(1));
  CHECK(world.pipeline->wait_delivered(Clock::now() + 30s));
  const pid_t child = ::fork();
  if (child == 0) {
    int said = 1;
    try {
      world.pipeline->submit(request_for(world.item(2)));
    } catch (const ForkedError&) {
      said = 0;
    }
    world.pipeline.reset();  // must not wait for threads that are not there
    world.workers.reset();
    ::_exit(said);
  }
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  world.drain();
}

}  // namespace
}  // namespace bindrt::simulated

int main() {
  using namespace bindrt::simulated;
  alarm(120);  // a lost request would be waited for for ever
  test_culprits_are_found();
  test_out_of_memory_halves_the_batch();
  test_failed_items_leave_their_neighbours();
  test_vectors_that_may_not_be_handed_out();
  test_overload();
  test_who_waits_for_room_is_woken_for_an_eighth();
  test_deadlines();
  test_deadline_of_ready_input();
  test_cancel_at_each_stage();
  test_abort();
  test_closing_in_a_callback();
  test_fork();
  return bindrt::testing::finish();
}
