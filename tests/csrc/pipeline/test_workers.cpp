// The threads that prepare: sources share their time, whoever joins late.

#include <unistd.h>

#include <atomic>
#include <thread>

#include "csrc/pipeline/workers.h"
#include "tests/cpp/check.h"

namespace bindrt::pipeline {
namespace {

using namespace std::chrono_literals;

// Has work always, once it is open: pieces that take so long.
class Source : public WorkSource {
 public:
  explicit Source(std::chrono::microseconds piece) : piece_(piece) {}

  bool work() override {
    if (!open) {
      return false;
    }
    std::this_thread::sleep_for(piece_);  // needs no core: the shares are the same on a busy machine
    ++pieces;
    return true;
  }
  Time next_alarm() override { return Time::max(); }

  std::atomic<bool> open{true};
  std::atomic<int> pieces{0};

 private:
  const std::chrono::microseconds piece_;
};

void wait_for(const std::atomic<int>& count, int least) {
  while (count < least) {
    std::this_thread::sleep_for(1ms);
  }
}

void test_short_pieces_do_not_wait_in_turn_with_long_ones() {
  Source film(10ms), caption(20us);
  const auto workers = Workers::make(1);
  workers->add(&film);
  workers->add(&caption);
  workers->notify();
  wait_for(film.pieces, 6);
  workers->remove(&film);
  workers->remove(&caption);
  CHECK(caption.pieces > 20 * film.pieces);  // in turn they would be as many
}

void test_who_comes_late_has_no_arrears() {
  Source first(1ms), late(1ms);
  late.open = false;
  const auto workers = Workers::make(1);
  workers->add(&first);
  workers->add(&late);
  workers->notify();
  wait_for(first.pieces, 400);
  late.open = true;
  const int before = first.pieces;
  wait_for(late.pieces, 100);
  const int meanwhile = first.pieces - before;
  workers->remove(&first);
  workers->remove(&late);
  CHECK(meanwhile >= 10);  // with arrears it would have had none
  CHECK(meanwhile <= 1000);
}

void test_a_long_piece_takes_one_thread() {
  Source film(20ms), sound(1ms);
  const auto workers = Workers::make(2);
  workers->add(&film);
  workers->add(&sound);
  workers->notify();
  wait_for(film.pieces, 5);
  workers->remove(&film);
  workers->remove(&sound);
  CHECK(sound.pieces >= 5 * 5);  // a thread of its own: up to 20 in a film's time
}

// Counts the threads that are in its work at once, and what it is asked beside.
class Crowd : public WorkSource {
 public:
  bool work() override {
    const int mine = round;
    const int now = ++inside[mine];
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(1ms);
    --inside[mine];
    ++pieces;
    return true;
  }
  bool look() override {
    ++looks;
    return false;
  }
  Time next_alarm() override { return looks == 0 ? Clock::now() : Time::max(); }

  std::atomic<int> most{0}, pieces{0}, looks{0}, round{0};
  std::atomic<int> inside[8] = {};  // of the pieces that began in a round
};

// The most threads that are at work in the next pieces. One that began before may be in its piece for long.
int most_at_once(Crowd& crowd) {
  wait_for(crowd.pieces, crowd.pieces + 6);
  ++crowd.round;
  crowd.most = 0;
  wait_for(crowd.pieces, crowd.pieces + 30);
  return crowd.most;
}

void test_cores_of_engines_are_not_used_twice() {
  Crowd crowd;
  const auto workers = Workers::make(3);
  workers->add(&crowd);
  workers->notify();
  workers->notify();
  workers->notify();
  CHECK(most_at_once(crowd) == 3);
  workers->lend(1);
  CHECK(most_at_once(crowd) == 2);
  workers->lend(64);
  CHECK(most_at_once(crowd) == 1);  // work goes on
  CHECK(crowd.looks > 0);           // and so do deadlines, though the one thread that may work is busy
  workers->take_back(64);
  workers->take_back(1);
  CHECK(most_at_once(crowd) == 3);
  workers->remove(&crowd);
}

// Pieces that wait for a device, each until so many of them do.
class Waits : public WorkSource {
 public:
  Waits(Workers& workers, int at_once, int all) : workers_(workers), at_once_(at_once), all_(all) {}

  bool work() override {
    if (++begun_ > all_) {
      return false;
    }
    {
      const Workers::Waiting waiting(workers_);
      ++waiting_;
      wait_for(waiting_, at_once_);
    }
    ++pieces;
    return true;
  }
  Time next_alarm() override { return Time::max(); }

  std::atomic<int> pieces{0};

 private:
  Workers& workers_;
  const int at_once_, all_;
  std::atomic<int> begun_{0}, waiting_{0};
};

void test_who_waits_for_a_device_leaves_its_core() {
  Crowd crowd;
  const auto workers = Workers::make(1);
  Waits waits(*workers, 1 + 32, 100);  // as many as there may be threads
  workers->add(&waits);
  workers->notify();
  wait_for(waits.pieces, 100);
  workers->remove(&waits);
  workers->add(&crowd);
  workers->notify();
  workers->notify();
  CHECK(most_at_once(crowd) == 1);  // of all these threads one computes
  workers->remove(&crowd);
}

}  // namespace
}  // namespace bindrt::pipeline

int main() {
  alarm(120);  // a source that is forgotten would be waited for for ever
  bindrt::pipeline::test_short_pieces_do_not_wait_in_turn_with_long_ones();
  bindrt::pipeline::test_who_comes_late_has_no_arrears();
  bindrt::pipeline::test_a_long_piece_takes_one_thread();
  bindrt::pipeline::test_cores_of_engines_are_not_used_twice();
  bindrt::pipeline::test_who_waits_for_a_device_leaves_its_core();
  return bindrt::testing::finish();
}
