// Which packets are decoded for some frames.
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "csrc/video/packets.h"
#include "csrc/video/running.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt::testing;
using bindrt::video::Packets;
using bindrt::video::Run;

struct Made {
  std::int64_t time;
  bool is_key = false;
};

Packets packets(std::initializer_list<Made> all) {
  Packets made;
  std::int32_t bytes = 100;
  for (const Made& each : all) {
    made.add(each.time, each.is_key, bytes++);
  }
  return made;
}

bool are(const std::vector<Run>& runs, std::initializer_list<Run> expected) {
  const std::vector<Run> all(expected);
  bool same = runs.size() == all.size();
  for (std::size_t i = 0; same && i < all.size(); ++i) {
    same = runs[i].begin == all[i].begin && runs[i].end == all[i].end;
  }
  return same;
}

void in_order() {
  Packets found = packets({{0, true}, {10}, {20}, {30, true}, {40}, {50}});
  CHECK(found.finish() && !found.reordered() && found.count() == 6 && found.bytes(2) == 102);
  CHECK(found.of_frame(4) == 4 && found.at_time(30) == 3 && !found.at_time(35));
  const std::int64_t frames[] = {1, 4};
  const Packets::Plan plan = found.plan(frames);
  CHECK(are(plan.runs, {{0, 2}, {3, 5}}));
  CHECK(plan.frames.at(10) == 1 && plan.frames.at(40) == 4 && plan.frames.size() == 2);
  CHECK(plan.packets.contains(4) && !plan.packets.contains(3));
  const std::int64_t joined[] = {2, 3};
  CHECK(are(found.plan(joined).runs, {{0, 4}}));
}

// Frames before their key frame may refer to the group before.
void reordered() {
  Packets found = packets({{0, true}, {30}, {10}, {20}, {60, true}, {40}, {50}, {90}});
  CHECK(found.finish() && found.reordered());
  CHECK(found.of_frame(1) == 2 && found.of_frame(4) == 5 && found.of_frame(6) == 4);
  const std::int64_t frames[] = {5};
  CHECK(are(found.plan(frames).runs, {{0, 7}}));
  const std::int64_t key[] = {6};
  CHECK(are(found.plan(key).runs, {{4, 5}}));
}

void unusual() {
  CHECK(!packets({}).finish());
  CHECK(!packets({{0}, {10, true}}).finish());        // no key frame at the beginning
  CHECK(!packets({{0, true}, {10}, {10}}).finish());  // two frames at a time
  CHECK(!packets({{INT64_MAX, true}}).finish() && !packets({{INT64_MIN + 1, true}}).finish());
  Packets far;
  far.add(1000, true, 1);
  for (std::int64_t i = 0; i < 70; ++i) {
    far.add(i, false, 1);
  }
  CHECK(!far.finish());
}

void by_time() {
  Packets found = packets({{5, true}, {15}, {25}, {35}});
  CHECK(found.finish());
  const auto is = [](const Run& run, std::int64_t begin, std::int64_t end) {
    return run.begin == begin && run.end == end;
  };
  CHECK(is(found.between(0.0, std::nullopt, 0.1), 0, 4));
  CHECK(is(found.between(1.0, 3.0, 0.1), 1, 3));
  CHECK(is(found.between(1.0 + 1e-9, 3.0 + 1e-9, 0.1), 1, 3));
  CHECK(is(found.between(0.5, 0.9, 0.1), 1, 1) && is(found.between(9.0, std::nullopt, 0.1), 4, 4));
}

void threads_of_decoders() {
  using bindrt::video::decoder_threads;
  const bindrt::video::Running one;
  CHECK(decoder_threads(1) == 1 && decoder_threads(8) == 9 && decoder_threads(96) == 16);
  const bindrt::video::Running two;
  CHECK(decoder_threads(8) == 5 && decoder_threads(3) == 1);
}

}  // namespace

int main() {
  in_order();
  reordered();
  unusual();
  by_time();
  threads_of_decoders();
  return finish();
}
