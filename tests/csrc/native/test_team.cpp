// The team: every piece once, priorities, the order of calls, few threads, forks, and rest.

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "csrc/native/cores.h"
#include "csrc/native/team.h"
#include "tests/cpp/check.h"

#if defined(__SANITIZE_THREAD__)
// The children of these tests start threads. Visible, or the sanitizer's shared library does not find it.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options() { return "die_after_fork=0"; }
#endif

namespace bindrt::native {
namespace {

using namespace std::chrono_literals;

void wait_for(const std::atomic<bool>& flag) {
  while (!flag) {
    std::this_thread::yield();
  }
}

#if defined(__linux__)
int thread_number() { return static_cast<int>(::gettid()); }

// Whether a thread waits for something: neither runs nor waits for a core.
bool is_asleep(int thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string text;
  std::getline(file, text);
  return text.find(") S") != std::string::npos;
}
#else
int thread_number() { return 1; }
bool is_asleep(int) { return true; }
#endif

// Until a thread that has told its number sleeps, and not only for a moment.
void wait_for_sleep(const std::atomic<int>& thread) {
  int asleep = 0;
  while (asleep < 5) {
    std::this_thread::sleep_for(2ms);
    asleep = thread != 0 && is_asleep(thread) ? asleep + 1 : 0;
  }
}

void test_each_piece_is_done_once_and_before_the_next_loop() {
  constexpr int kCount = 1000;
  constexpr int kLoops = 20;
  std::vector<int> values(kCount);  // not atomic: loops keep them apart
  std::atomic<bool> right{true};
  run_on_team(8, 0, [&](Member& member) {
    for (int loop = 0; loop < kLoops; ++loop) {
      const bool back = loop % 2 == 1;
      member.loop(kCount, 7, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          int& value = values[static_cast<std::size_t>(back ? kCount - 1 - i : i)];
          right = right && value == loop && end - begin <= 7;
          ++value;
        }
      });
    }
  });
  CHECK(right);
  CHECK(values == std::vector<int>(kCount, kLoops));
}

void test_members_have_numbers_of_their_own() {
  std::atomic<int> seen[64] = {};
  std::atomic<bool> in_range{true};
  run_on_team(3, 0, [&](Member& member) {
    in_range = in_range && member.number() >= 0 && member.number() < member.members();
    seen[member.number()].fetch_add(1);
    member.loop(50, 1, [](std::int64_t, std::int64_t) { std::this_thread::sleep_for(10us); });
  });
  CHECK(in_range);
  CHECK(seen[0] == 1);  // the first of them is always there
  CHECK(seen[1] <= 1);
  CHECK(seen[2] <= 1);
  CHECK(seen[3] == 0);
}

void test_empty_loops_and_programs_end() {
  int ran = 0;
  run_on_team(0, 0, [&](Member& member) {
    member.loop(0, 1, [&](std::int64_t, std::int64_t) { ran += 100; });
    member.loop(-3, 1, [&](std::int64_t, std::int64_t) { ran += 100; });
    member.loop(5, 0, [&](std::int64_t begin, std::int64_t end) { ran += static_cast<int>(end - begin); });
  });
  CHECK(ran == 5);
  std::atomic<int> begun{0};
  run_on_team(4, 0, [&](Member&) { begun.fetch_add(1); });
  CHECK(begun >= 1);
}

void test_a_higher_priority_goes_first_at_the_next_piece() {
  std::atomic<bool> low_runs{false}, high_called{false}, high_done{false}, low_done{false};
  std::atomic<int> before{-1};
  std::atomic<int> pieces{0};
  constexpr int kPieces = 50'000;
  std::thread low([&] {
    run_on_team(64, 0, [&](Member& member) {
      member.loop(kPieces, 1, [&](std::int64_t, std::int64_t) {
        low_runs = true;
        wait_for(high_called);
        pieces.fetch_add(1);
        if (!high_done) {  // else what is left need not take long
          std::this_thread::sleep_for(1ms);
        }
      });
    });
    low_done = true;
  });
  wait_for(low_runs);
  high_called = true;
  run_on_team(64, 1, [&](Member& member) {
    member.loop(1, 1, [&](std::int64_t, std::int64_t) { before = pieces.load(); });
  });
  const bool high_was_first = !low_done;
  high_done = true;
  low.join();
  CHECK(high_was_first);
  CHECK(before < kPieces);
  CHECK(pieces == kPieces);
}

void test_three_priorities_nest() {
  std::atomic<bool> runs[3] = {};
  std::vector<int> ends;  // written with all threads in one program
  std::atomic<bool> go{false};
  const auto program = [&](int priority) {
    run_on_team(64, priority, [&](Member& member) {
      member.loop(64, 1, [&](std::int64_t, std::int64_t) {
        runs[priority] = true;
        std::this_thread::sleep_for(200us);
        if (priority == 2) {
          wait_for(go);
        }
      });
    });
  };
  std::thread first([&] {
    program(0);
    ends.push_back(0);
  });
  wait_for(runs[0]);
  std::thread second([&] { program(1); });
  wait_for(runs[1]);
  std::thread third([&] { program(2); });
  wait_for(runs[2]);
  go = true;
  third.join();
  second.join();
  first.join();
  CHECK(ends == std::vector<int>{0});
}

void test_equal_priorities_go_in_the_order_of_calls() {
  std::atomic<bool> holds{false}, release{false};
  std::thread holder([&] {
    run_on_team(64, 5, [&](Member& member) {
      member.loop(64, 1, [&](std::int64_t, std::int64_t) {
        holds = true;
        wait_for(release);
      });
    });
  });
  wait_for(holds);
  std::vector<int> order;
  std::mutex guard;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    std::atomic<int> calls{0};
    callers.emplace_back([&order, &guard, &calls, i] {
      calls = thread_number();
      run_on_team(64, 0, [&](Member& member) {
        member.loop(1, 1, [&](std::int64_t, std::int64_t) {
          const std::lock_guard<std::mutex> lock(guard);
          order.push_back(i);
        });
        member.loop(64, 1, [](std::int64_t, std::int64_t) { std::this_thread::sleep_for(50us); });
      });
    });
    wait_for_sleep(calls);  // it has called
  }
  release = true;
  holder.join();
  for (std::thread& caller : callers) {
    caller.join();
  }
  CHECK(order == (std::vector<int>{0, 1, 2, 3}));
}

void test_small_crews_run_side_by_side() {
  if (team_threads() < 2) {
    CHECK(team_threads() == 1);
    return;
  }
  std::atomic<bool> first_runs{false}, second_done{false};
  std::thread first([&] {
    run_on_team(1, 0, [&](Member& member) {
      member.loop(1, 1, [&](std::int64_t, std::int64_t) {
        first_runs = true;
        wait_for(second_done);  // would never come in turn
      });
    });
  });
  wait_for(first_runs);
  run_on_team(1, 0, [](Member& member) { member.loop(3, 1, [](std::int64_t, std::int64_t) {}); });
  second_done = true;
  first.join();
  CHECK(second_done);
}

void test_a_caller_of_negative_priority_does_not_compute() {
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> computed{false};
  run_on_team(64, -1, [&](Member& member) {
    computed = computed || std::this_thread::get_id() == caller;
    member.loop(10, 1, [](std::int64_t, std::int64_t) {});
  });
  CHECK(!computed);
}

// Runs `work` in a forked child; whether it returned true.
template <class Work>
bool in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(work() ? 0 : 1);
  }
  int status = -1;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

bool adds_up(int priority) {
  std::atomic<int> sum{0};
  run_on_team(64, priority, [&](Member& member) {
    member.loop(100, 1, [&](std::int64_t begin, std::int64_t) { sum += static_cast<int>(begin); });
  });
  return sum == 4950;
}

void test_a_forked_child_has_a_team_of_its_own() {
  CHECK(adds_up(0));
  CHECK(in_child([] { return adds_up(0) && adds_up(-1); }));
}

#if defined(__linux__)
void test_one_core_runs_all_programs() {
  cpu_set_t all, one;
  CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
  CPU_ZERO(&one);
  for (int core = 0; CPU_COUNT(&one) == 0; ++core) {
    if (CPU_ISSET(core, &all)) {
      CPU_SET(core, &one);
    }
  }
  CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
  CHECK(in_child([] {
    if (usable_threads() != 1 || !adds_up(0) || !adds_up(-1)) {
      return false;
    }
    std::atomic<bool> runs{false}, high_called{false};
    std::thread low([&] {
      run_on_team(8, 0, [&](Member& member) {
        member.loop(20, 1, [&](std::int64_t, std::int64_t) {
          runs = true;
          wait_for(high_called);
        });
      });
    });
    wait_for(runs);
    high_called = true;
    const bool right = adds_up(1);
    low.join();
    return right;
  }));
  CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
}
#endif

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void test_threads_sleep_between_programs() {
  run_on_team(64, 0, [](Member& member) { member.loop(10, 1, [](std::int64_t, std::int64_t) {}); });
  std::this_thread::sleep_for(50ms);
  const double before = processor_seconds();
  std::this_thread::sleep_for(500ms);
  CHECK(processor_seconds() - before < 0.25);  // one that is awake would take 0.5
}

void test_threads_sleep_while_a_piece_takes_long() {
  double used = 1;
  run_on_team(64, 0, [&](Member& member) {
    member.loop(1, 1, [&](std::int64_t, std::int64_t) {
      std::this_thread::sleep_for(50ms);
      const double before = processor_seconds();
      std::this_thread::sleep_for(500ms);
      used = processor_seconds() - before;
    });
  });
  CHECK(used < 0.25);
}

}  // namespace
}  // namespace bindrt::native

int main() {
  alarm(120);  // a program that never ends would be waited for for ever
  using namespace bindrt::native;
  test_each_piece_is_done_once_and_before_the_next_loop();
  test_members_have_numbers_of_their_own();
  test_empty_loops_and_programs_end();
  test_a_higher_priority_goes_first_at_the_next_piece();
  test_three_priorities_nest();
  test_equal_priorities_go_in_the_order_of_calls();
  test_small_crews_run_side_by_side();
  test_a_caller_of_negative_priority_does_not_compute();
  test_threads_sleep_between_programs();
  test_threads_sleep_while_a_piece_takes_long();
  test_a_forked_child_has_a_team_of_its_own();
#if defined(__linux__)
  test_one_core_runs_all_programs();
#endif
  return bindrt::testing::finish();
}
