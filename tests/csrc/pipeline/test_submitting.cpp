// Many requests at once, rows that are a batch already, and submitters that run the engine themselves.

#include <unistd.h>

#include "tests/csrc/pipeline/simulated_pipeline.h"

namespace bindrt::simulated {
namespace {

using namespace std::chrono_literals;

// Rows of items, one after the other, of any length.
struct Rows {
  Rows(World& world, const std::vector<std::int64_t>& counts, std::int64_t of_length)
      : length(of_length), counts_of(counts) {
    const std::int64_t numbers = kRowNumbers + length;
    for (const std::int64_t count : counts) {
      const auto item = world.item(static_cast<int>(world.items.size()), count);
      item->length = length;
      const std::size_t before = data.size();
      data.resize(before + static_cast<std::size_t>(count * numbers));
      item->write(data.data() + before, numbers);
      requests.push_back(request_for(item));
      total += count;
    }
  }

  Submitted submit(Pipeline& pipeline) const {
    const std::int64_t bytes = (kRowNumbers + length) * static_cast<std::int64_t>(sizeof(float));
    return pipeline.submit_batch(requests, {data.data(), total, bytes, length}, counts_of);
  }

  std::int64_t length;
  std::int64_t total = 0;
  std::vector<std::int64_t> counts_of;
  std::vector<float> data;
  std::vector<RequestPtr> requests;
};

LaneOptions text_lane() {
  LaneOptions options = lane("text", 4);
  options.classes = length_classes({8, 16});
  return options;
}

void test_many_until_the_queue_is_full() {
  LaneOptions options = lane("image", 2);
  options.queue = 5;
  options.in_flight = 2;
  World world({options}, 1);
  world.model->held = true;
  world.submit(world.item(0));
  world.wait_for_engine();
  world.submit(world.item(1));  // is prepared, and waits for the engine
  while (world.pipeline->snapshot(0).queued > 0) {
    std::this_thread::sleep_for(100us);
  }
  std::vector<RequestPtr> requests;
  for (int i = 2; i < 10; ++i) {
    requests.push_back(request_for(world.item(i)));
  }
  const Pipeline::Admitted admitted = world.pipeline->submit_all(requests);
  CHECK(admitted.accepted == 5);
  CHECK(admitted.answer == Submitted::kFull);
  world.drain();
  for (int i = 0; i < 10; ++i) {
    CHECK(world.items[static_cast<std::size_t>(i)]->deliveries.load() == (i < 7 ? 1 : 0));
  }
  CHECK(world.pipeline->submit_all(requests).answer == Submitted::kClosed);
}

void test_rows_that_are_a_batch() {
  World world({text_lane()});
  std::vector<std::pair<std::int64_t, std::int64_t>> calls;
  const Rows short_rows(world, {1, 3, 1, 1}, 3);
  const Rows long_rows(world, {2}, 16);
  const void* read = nullptr;
  world.model->on_call = [&](const EngineCall& call) {
    calls.emplace_back(call.length, call.rows);
    read = read == nullptr ? call.input : read;
  };
  CHECK(short_rows.submit(*world.pipeline) == Submitted::kAccepted);
  CHECK(long_rows.submit(*world.pipeline) == Submitted::kAccepted);
  world.drain();
  check_all_done(world);
  CHECK(read == short_rows.data.data());  // where they are
  const std::vector<std::pair<std::int64_t, std::int64_t>> want{{3, 4}, {3, 2}, {16, 2}};
  CHECK(calls == want);
  CHECK(world.pipeline->snapshot(0).counts.rows_borrowed == 8);
  CHECK(world.pipeline->snapshot(0).in_flight == 0);
  CHECK(short_rows.submit(*world.pipeline) == Submitted::kClosed);
}

void test_some_of_a_batch_are_cancelled() {
  World world({text_lane()});
  world.model->held = true;
  const Rows first(world, {1}, 5);
  const Rows second(world, {1, 2, 1}, 5);
  CHECK(first.submit(*world.pipeline) == Submitted::kAccepted);
  world.wait_for_engine();
  CHECK(second.submit(*world.pipeline) == Submitted::kAccepted);
  world.pipeline->cancel(second.requests[0]);
  world.drain();
  CHECK(world.items[1]->outcome == Outcome::kCancelled);
  for (const std::size_t i : {0, 2, 3}) {
    CHECK(world.items[i]->outcome == Outcome::kDone);
    check_vector(*world.items[i]);
  }
}

void test_rows_that_are_too_long() {
  World world({text_lane()});
  const Rows rows(world, {1}, 17);
  bool was_refused = false;
  try {
    rows.submit(*world.pipeline);
  } catch (const std::invalid_argument&) {
    was_refused = true;
  }
  CHECK(was_refused);
  world.items.clear();
}

void test_the_submitter_prepares_and_runs() {
  World world({text_lane()});
  std::thread::id ran;
  world.model->on_call = [&ran](const EngineCall&) { ran = std::this_thread::get_id(); };
  world.wait_for_sleep();
  const RequestPtr request = request_for(world.item(0));
  request->by_submitter = true;
  request->caller = 7;
  CHECK(world.pipeline->submit(request) == Submitted::kAccepted);
  CHECK(world.items[0]->deliveries.load() == 0);
  world.pipeline->run_here(7);
  CHECK(world.items[0]->deliveries.load() == 1);
  CHECK(ran == std::this_thread::get_id());
  world.submit(world.item(1));
  world.drain();
  CHECK(ran != std::this_thread::get_id());
  check_all_done(world);
}

void test_what_is_not_the_submitters_is_left_to_the_engine() {
  World world({text_lane()});
  std::thread::id ran;
  world.model->on_call = [&ran](const EngineCall&) { ran = std::this_thread::get_id(); };
  world.wait_for_sleep();
  Rows rows(world, {1, 1}, 5);
  for (const RequestPtr& request : rows.requests) {
    request->by_submitter = true;
    request->caller = 7;
  }
  CHECK(rows.submit(*world.pipeline) == Submitted::kAccepted);
  world.pipeline->run_here(8);
  world.drain();
  CHECK(ran != std::this_thread::get_id());
  check_all_done(world);
}

void test_a_busy_engine_runs_it() {
  World world({text_lane()});
  world.model->held = true;
  world.submit(world.item(0));
  world.wait_for_engine();
  const RequestPtr request = request_for(world.item(1));
  request->by_submitter = true;
  CHECK(world.pipeline->submit(request) == Submitted::kAccepted);
  world.pipeline->run_here(0);
  world.drain();
  check_all_done(world);
}

void test_patient_ones_wait_for_a_full_batch() {
  LaneOptions options = lane("image", 4);
  options.max_wait = 0us;
  for (const bool patient : {true, false}) {
    World world({options}, 1);
    std::vector<RequestPtr> requests;
    for (int i = 0; i < 8; ++i) {
      const auto item = world.item(i);
      requests.push_back(request_for(item));
      requests.back()->patient = patient;
    }
    world.items[1]->held = !patient;
    CHECK(world.pipeline->submit_all(requests).accepted == 8);
    while (world.items[1]->held && world.items[0]->deliveries.load() == 0) {
      std::this_thread::sleep_for(100us);  // the first does not wait for the second
    }
    world.items[1]->held = false;
    world.drain();
    check_all_done(world);
    const std::uint64_t batches = world.pipeline->snapshot(0).counts.batches;
    CHECK(patient ? batches == 2 : batches > 2);
  }
}

}  // namespace
}  // namespace bindrt::simulated

int main() {
  using namespace bindrt::simulated;
  alarm(120);  // a lost request would be waited for for ever
  test_many_until_the_queue_is_full();
  test_rows_that_are_a_batch();
  test_some_of_a_batch_are_cancelled();
  test_rows_that_are_too_long();
  test_the_submitter_prepares_and_runs();
  test_what_is_not_the_submitters_is_left_to_the_engine();
  test_a_busy_engine_runs_it();
  test_patient_ones_wait_for_a_full_batch();
  return bindrt::testing::finish();
}
