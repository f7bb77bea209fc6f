// What waits is counted, pushed out, given back and freed as its inbox promises; threads lose nothing.
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "csrc/live/inbox.h"
#include "tests/cpp/check.h"

namespace bindrt::live {
namespace {

using Held = std::shared_ptr<int>;  // a sanitizer sees if one is freed twice or never
using Boxes = Inbox<Held>;

constexpr int kFloats = 0;
constexpr std::ptrdiff_t kStrides[] = {sizeof(float), sizeof(float)};

bool copies(Held&) { return false; }

// A block of one channel: `number`, n times.
struct Block1 {
  std::vector<float> numbers;
  std::ptrdiff_t shape[1];

  Block1(std::ptrdiff_t n, float number) : numbers(static_cast<std::size_t>(n), number), shape{n} {}
  Fields fields() const {
    const auto* const data = reinterpret_cast<const std::byte*>(numbers.data());
    return {&kFloats, data, sizeof(float), 1, shape, kStrides};
  }
};

Moment at(double seconds) { return {Moment::Kind::kSeconds, seconds}; }

std::unique_ptr<Boxes> blocks(Keep keep = Keep::kRecent, std::size_t most_bytes = 1 << 20) {
  auto made = std::make_unique<Boxes>(InboxOptions{PieceKind::kBlocks, 1000, keep, most_bytes});
  made->expect(&kFloats, {1, 240}, std::make_shared<int>(7));
  return made;
}

Answer push(Boxes& inbox, const Block1& block, const Moment& time = {}) {
  return inbox.push(block.fields(), time, 0.5, copies);
}

float first_of(const Piece<Held>& piece) {
  float number = 0;
  std::memcpy(&number, piece.block.data(), sizeof(float));
  return number;
}

void test_a_block_is_copied() {
  const auto inbox = blocks();
  {
    Block1 block(240, 3);
    CHECK(push(*inbox, block, at(1.5)) == Answer::kDue);
    block.numbers.assign(240, 9);  // it was copied
  }
  CHECK(inbox->size() == 1 && inbox->pushed() == 1);
  CHECK_NEAR(inbox->seconds(), 0.24, 1e-12);
  const auto found = inbox->take();
  CHECK(found && first_of(*found) == 3 && found->time == 1.5 && found->arrived == 0.5);
  CHECK(found && found->count == 240 && (found->shape == std::vector<std::ptrdiff_t>{1, 240}));
  CHECK(found && *found->held == 7 && found->time_bytes(inbox->kind()) == 0);
  CHECK(!inbox->take() && inbox->size() == 0 && inbox->seconds() == 0);
}

void test_what_gives_way() {
  const auto recent = blocks(Keep::kRecent, 2 * 240 * sizeof(float));
  for (int i = 0; i < 5; ++i) {
    CHECK(push(*recent, Block1(240, static_cast<float>(i))) == Answer::kDue);
  }
  CHECK(recent->size() == 2 && recent->dropped() == 3 && recent->pushed() == 5);
  CHECK(first_of(*recent->take()) == 3);

  const auto newest = blocks(Keep::kNewest);
  push(*newest, Block1(10, 1));
  push(*newest, Block1(10, 2));
  CHECK(newest->size() == 1 && newest->dropped() == 1 && first_of(*newest->take()) == 2);

  const auto all = blocks(Keep::kAll, 2 * 240 * sizeof(float));
  CHECK(push(*all, Block1(240, 0)) == Answer::kDue && push(*all, Block1(240, 1)) == Answer::kDue);
  CHECK(push(*all, Block1(240, 2)) == Answer::kUnusual && all->size() == 2 && all->dropped() == 0);

  const auto one = blocks(Keep::kAll, 8);
  CHECK(push(*one, Block1(240, 0)) == Answer::kDue && !one->has_room(1));  // one alone always may
}

void test_pieces_that_are_made_elsewhere() {
  Boxes inbox(InboxOptions{PieceKind::kFrames, 0, Keep::kRecent, 1000});
  CHECK(inbox.put(std::make_shared<int>(1), 1000, 0.5) && !inbox.has_room(1));
  CHECK(inbox.put(std::make_shared<int>(2), 1, std::numeric_limits<double>::infinity()));
  CHECK(inbox.dropped() == 1 && inbox.seconds() == 0 && inbox.has_room(999));
  auto found = inbox.take();
  CHECK(found && *found->held == 2 && found->block.data() == nullptr);
  inbox.put(std::make_shared<int>(3), 1, 1);
  inbox.put_back(found->held, 1, 0.25);
  CHECK(inbox.seconds() == 1.25 && *inbox.take()->held == 2 && *inbox.take()->held == 3);
}

void test_a_closed_inbox_takes_nothing() {
  const auto inbox = blocks();
  push(*inbox, Block1(10, 1));
  inbox->close();
  CHECK(push(*inbox, Block1(10, 2)) == Answer::kUnusual && !inbox->put(std::make_shared<int>(1), 1, 0));
  CHECK(inbox->size() == 1);  // what waits can still be taken
}

void test_closed_while_it_is_copied() {
  Boxes inbox(InboxOptions{PieceKind::kFrames, 30});
  inbox.expect(&kFloats, {8}, nullptr);
  const auto close = [&inbox](Held&) {
    inbox.close();
    return false;
  };
  CHECK(inbox.push(Block1(8, 1).fields(), {}, 0, close) == Answer::kUnusual && inbox.size() == 0);
}

void test_frames_that_nobody_can_change() {
  Boxes inbox(InboxOptions{PieceKind::kFrames, 0});
  inbox.expect(&kFloats, {40'000}, nullptr);
  const Block1 frame(40'000, 1);
  const auto fixed = [](Held& held) {
    held = std::make_shared<int>(5);
    return true;
  };
  CHECK(inbox.push(frame.fields(), at(3), 0, fixed) == Answer::kDue);
  CHECK(inbox.push(frame.fields(), at(4), 0, copies) == Answer::kDue);
  CHECK(inbox.seconds() == 1);
  const auto whole = inbox.take(), copy = inbox.take();
  CHECK(whole && whole->is_fixed && *whole->held == 5 && whole->block.data() == nullptr);
  CHECK(whole && !inbox.wants_memory(*whole));
  CHECK(copy && !copy->is_fixed && inbox.wants_memory(*copy));
  inbox.provide(*copy);
  CHECK(!inbox.wants_memory(*copy));
}

void test_samples_wait_until_they_are_due() {
  Boxes inbox(InboxOptions{PieceKind::kSamples, 0});
  inbox.expect(&kFloats, {6, 1}, nullptr);
  const Block1 sample(6, 1);
  CHECK(push(inbox, sample, at(0)) == Answer::kDue);  // nothing is known of windows yet
  inbox.set_due(10);
  CHECK(push(inbox, sample, at(9)) == Answer::kTaken && push(inbox, sample, at(10)) == Answer::kDue);
  for (std::size_t i = inbox.size() + 1; i < Boxes::kTogether; ++i) {
    CHECK(push(inbox, sample, at(9)) == Answer::kTaken);
  }
  CHECK(push(inbox, sample, at(9)) == Answer::kDue && inbox.seconds() == 10);
  const auto found = inbox.take();
  CHECK(found && found->time_bytes(inbox.kind()) == sizeof(double) && found->bytes == 8 + 6 * sizeof(float));
  double time = -1;
  std::memcpy(&time, found->block.data(), sizeof(double));
  CHECK(time == 0 && (found->shape == std::vector<std::ptrdiff_t>{6, 1}));
  CHECK(inbox.grow(12) == 2 && inbox.grow(11) == 0 &&
        inbox.grow(std::numeric_limits<double>::quiet_NaN()) == 0);
}

void test_threads_lose_nothing_and_take_nothing_twice() {
  constexpr int kPushers = 3, kCount = 300;
  const auto inbox = blocks(Keep::kAll);
  std::atomic<int> found{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int pusher = 0; pusher < kPushers; ++pusher) {
    threads.emplace_back([&inbox, &wrong, pusher] {
      for (int i = 0; i < kCount; ++i) {
        const Block1 block(20 + i, static_cast<float>(pusher));
        wrong += push(*inbox, block, at(i)) == Answer::kDue ? 0 : 1;
        inbox->expect(&kFloats, {1, 20 + i}, std::make_shared<int>(pusher));
      }
    });
  }
  std::atomic<double> sum{0};
  for (int taker = 0; taker < 2; ++taker) {
    threads.emplace_back([&inbox, &found, &wrong, &sum] {
      while (found < kPushers * kCount) {
        if (const auto piece = inbox->take()) {
          const auto* const numbers = reinterpret_cast<const float*>(piece->block.data());
          const bool is_whole = std::all_of(numbers, numbers + piece->count,
                                            [&numbers](float number) { return number == numbers[0]; });
          wrong += is_whole && piece->count == 20 + static_cast<int>(*piece->time) ? 0 : 1;
          sum += *piece->time;
          ++found;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0 && found == kPushers * kCount && inbox->size() == 0);
  CHECK(sum == kPushers * kCount * (kCount - 1) / 2.0);
}

}  // namespace
}  // namespace bindrt::live

int main() {
  using namespace bindrt::live;
  test_a_block_is_copied();
  test_what_gives_way();
  test_pieces_that_are_made_elsewhere();
  test_a_closed_inbox_takes_nothing();
  test_closed_while_it_is_copied();
  test_frames_that_nobody_can_change();
  test_samples_wait_until_they_are_due();
  test_threads_lose_nothing_and_take_nothing_twice();
  return bindrt::testing::finish();
}
