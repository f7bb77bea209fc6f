// Blocks go back to their memory and are used again; never by two at once, whichever thread gives them back.
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "csrc/live/memory.h"
#include "tests/cpp/check.h"

namespace bindrt::live {
namespace {

void test_a_block_is_used_again() {
  const auto memory = Memory::make(1 << 20);
  const std::byte* first = nullptr;
  {
    const Block block = memory->take(1000);
    first = block.data();
    CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
    CHECK(memory->kept() == 0);
    std::memset(block.data(), 1, 1000);
  }
  CHECK(memory->kept() == 1024);
  const Block again = memory->take(1010);
  CHECK(again.data() == first);
  const Block other = memory->take(1010);
  CHECK(other.data() != first && memory->kept() == 0);
}

void test_only_blocks_of_about_the_size_are_used() {
  const auto memory = Memory::make(1 << 20);
  std::byte* large = nullptr;
  {
    const Block block = memory->take(100'000);
    large = block.data();
  }
  {
    const Block small = memory->take(10'000);
    CHECK(small.data() != large);
    const Block similar = memory->take(90'000);
    CHECK(similar.data() == large);
    const Block larger = memory->take(200'000);
    CHECK(larger.data() != large);
  }
}

void test_not_too_much_is_kept() {
  const auto memory = Memory::make(20'000);
  {
    const Block blocks[] = {memory->take(4096), memory->take(4096), memory->take(4096), memory->take(4096),
                            memory->take(4096)};
  }
  CHECK(memory->kept() == 16'384);  // four of five
  {
    std::vector<Block> many;
    for (std::size_t i = 0; i < Memory::kMostBlocks + 9; ++i) {
      many.push_back(memory->take(1));
    }
  }
  CHECK(memory->kept() == Memory::kMostBlocks * 64);  // older ones made room
}

void test_a_few_large_blocks_are_kept() {
  const auto memory = Memory::make(10'000);
  {
    const Block blocks[] = {memory->take(20'480), memory->take(20'480), memory->take(20'480),
                            memory->take(20'480)};
  }
  CHECK(memory->kept() == Memory::kLeastBlocks * 20'480);
}

void test_blocks_are_provided() {
  const auto memory = Memory::make(1 << 20);
  CHECK(!memory->provides(100'000, 2));
  memory->provide(100'000, 2);
  CHECK(memory->provides(100'000, 2) && memory->provides(90'000, 1) && !memory->provides(100'000, 3));
  const std::size_t kept = memory->kept();
  memory->provide(100'000, 2);
  CHECK(memory->kept() == kept);
  const Block block = memory->take(100'000);
  CHECK(memory->kept() == kept / 2);
}

void test_blocks_may_outlive_whoever_made_the_memory() {
  Block block;
  CHECK(block.data() == nullptr);
  {
    const auto memory = Memory::make(1 << 20);
    block = memory->take(100);
  }
  std::memset(block.data(), 1, 100);
  Block moved(std::move(block));
  std::memset(moved.data(), 2, 100);
}

// One thread takes and fills, as a program that pushes; others look and give back.
void test_threads_give_back() {
  const auto memory = Memory::make(1 << 20);
  std::mutex mutex;
  std::vector<std::pair<Block, int>> waiting;
  bool ended = false;
  const auto give_back = [&] {
    for (;;) {
      Block block;
      int number = 0;
      {
        const std::lock_guard lock(mutex);
        if (waiting.empty() && ended) {
          return;
        }
        if (!waiting.empty()) {
          block = std::move(waiting.back().first);
          number = waiting.back().second;
          waiting.pop_back();
        }
      }
      if (block.data() == nullptr) {
        std::this_thread::yield();
        continue;
      }
      bool untouched = true;
      for (int i = 0; i < 500; ++i) {
        untouched = untouched && block.data()[i] == static_cast<std::byte>(number);
      }
      CHECK(untouched);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back(give_back);
  }
  for (int number = 0; number < 2000; ++number) {
    Block block = memory->take(500);
    std::memset(block.data(), number, 500);
    const std::lock_guard lock(mutex);
    waiting.emplace_back(std::move(block), number);
  }
  {
    const std::lock_guard lock(mutex);
    ended = true;
  }
  for (std::thread& each : threads) {
    each.join();
  }
  CHECK(memory->kept() <= Memory::kMostBlocks * 512);
}

}  // namespace
}  // namespace bindrt::live

int main() {
  bindrt::live::test_a_block_is_used_again();
  bindrt::live::test_only_blocks_of_about_the_size_are_used();
  bindrt::live::test_not_too_much_is_kept();
  bindrt::live::test_a_few_large_blocks_are_kept();
  bindrt::live::test_blocks_are_provided();
  bindrt::live::test_blocks_may_outlive_whoever_made_the_memory();
  bindrt::live::test_threads_give_back();
  return bindrt::testing::finish();
}
