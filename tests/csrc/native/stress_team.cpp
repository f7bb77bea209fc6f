// Random programs of several callers: priorities, threads, loops of any size; every piece is done once, and
// no loop begins before the one ahead of it is over.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "csrc/native/team.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

struct Loop {
  std::int64_t count;
  std::int64_t grain;
  int spins;  // what a piece costs
};

struct Program {
  int threads;
  int priority;
  std::vector<Loop> loops;
};

Program random_program(Bytes& bytes) {
  Program program{bytes.number(0, 9), bytes.number(-1, 3), {}};
  for (std::int64_t i = bytes.small(0, 12); i > 0; --i) {
    program.loops.push_back({bytes.small(0, 300), bytes.small(0, 40), bytes.number(0, 3) * 50});
  }
  return program;
}

void spend(int spins) {
  for (std::atomic<int> i{0}; i < spins; ++i) {
  }
}

// Plain numbers, so that the thread sanitizer sees a loop that overlaps with the next.
void run(const Program& program) {
  constexpr std::size_t kMost = 400;
  std::vector<int> times(kMost);
  std::vector<int> wanted(kMost);
  std::atomic<int> wrong{0};
  std::atomic<int> members{0};
  native::run_on_team(program.threads, program.priority, [&](native::Member& member) {
    members.fetch_add(1);
    if (member.number() < 0 || member.number() >= member.members()) {
      wrong.fetch_add(1);
    }
    std::size_t shift = 0;
    for (const Loop& loop : program.loops) {
      member.loop(loop.count, loop.grain, [&](std::int64_t begin, std::int64_t end) {
        if (begin < 0 || begin >= end || end > loop.count ||
            end - begin > std::max<std::int64_t>(loop.grain, 1)) {
          wrong.fetch_add(1);
        }
        for (std::int64_t i = begin; i < end; ++i) {
          ++times[(static_cast<std::size_t>(i) + shift) % kMost];  // another member's in the next loop
        }
        spend(loop.spins);
      });
      shift += 37;
    }
  });
  std::size_t shift = 0;
  for (const Loop& loop : program.loops) {
    for (std::int64_t i = 0; i < loop.count; ++i) {
      ++wanted[(static_cast<std::size_t>(i) + shift) % kMost];
    }
    shift += 37;
  }
  CHECK(wrong == 0);
  CHECK(members >= 1);
  CHECK(members <= std::max(program.threads, 1));
  CHECK(times == wanted);
}

}  // namespace

void one_case(Bytes& bytes) {
  std::vector<std::vector<Program>> callers(static_cast<std::size_t>(bytes.small(1, 5)));
  for (std::vector<Program>& programs : callers) {
    for (std::int64_t i = bytes.small(1, 6); i > 0; --i) {
      programs.push_back(random_program(bytes));
    }
  }
  std::vector<std::thread> threads;
  for (const std::vector<Program>& programs : callers) {
    threads.emplace_back([&programs] {
      for (const Program& program : programs) {
        run(program);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace bindrt::stress
