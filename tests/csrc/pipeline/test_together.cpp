// Pieces of several threads, done together.

#include <atomic>
#include <future>
#include <thread>

#include "csrc/pipeline/together.h"
#include "tests/cpp/check.h"

namespace bindrt::pipeline {
namespace {

struct Piece {
  int number = 0;
  std::int64_t size = 1;
  int result = 0;
};
using Group = std::span<Piece* const>;

std::int64_t size_of(const Piece& piece) { return piece.size; }

void test_a_piece_alone_does_not_wait() {
  Together<Piece> together({2, 4, 100}, &size_of, [](Group group, std::size_t) {
    CHECK(group.size() == 1);
    group[0]->result = group[0]->number + 1;
  });
  Piece piece{7, 1000};  // larger than a group may be
  together.run(piece);
  CHECK(piece.result == 8);
}

void test_each_piece_is_done_once() {
  std::atomic<int> groups{0}, at_once{0};
  std::atomic<bool> busy[2]{};
  Together<Piece> together({2, 3, 5}, &size_of, [&](Group group, std::size_t number) {
    CHECK(number < 2 && !busy[number].exchange(true));
    CHECK(++at_once <= 2);
    CHECK(!group.empty() && group.size() <= 3);
    std::int64_t size = 0;
    for (Piece* const each : group) {
      size += each->size;
      each->result += 2 * each->number;
    }
    CHECK(size <= 5 || group.size() == 1);
    ++groups;
    --at_once;
    busy[number].store(false);
  });
  constexpr int kThreads = 8, kEach = 200;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&together, thread] {
      for (int i = 0; i < kEach; ++i) {
        Piece piece{thread * kEach + i, 1 + i % 7};
        together.run(piece);
        CHECK(piece.result == 2 * piece.number);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(groups.load() > 0 && groups.load() <= kThreads * kEach);
}

// While all groups are busy the pieces that come are gathered.
void test_pieces_that_wait_go_together() {
  std::promise<void> begun, go_on;
  std::vector<std::size_t> sizes;
  Together<Piece> together({1, 8, 100}, &size_of, [&](Group group, std::size_t) {
    if (group[0]->number == 0) {
      begun.set_value();
      go_on.get_future().wait();
    }
    sizes.push_back(group.size());  // one group at a time
  });
  const auto run = [&together](int number) {
    return std::thread([&together, number] {
      Piece piece{number};
      together.run(piece);
    });
  };
  std::vector<std::thread> threads;
  threads.push_back(run(0));
  begun.get_future().wait();
  for (int number = 1; number < 7; ++number) {
    threads.push_back(run(number));
  }
  while (together.waiting() < 6) {
    std::this_thread::yield();
  }
  go_on.set_value();
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK((sizes == std::vector<std::size_t>{1, 6}));
}

}  // namespace
}  // namespace bindrt::pipeline

int main() {
  using namespace bindrt::pipeline;
  test_a_piece_alone_does_not_wait();
  test_each_piece_is_done_once();
  test_pieces_that_wait_go_together();
  return bindrt::testing::finish();
}
