// For test_gpu.cpp: memory and tables that are kept to be used again.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "csrc/gpu/memory_pool.h"
#include "csrc/gpu/queue.h"
#include "tests/cpp/check.h"
#include "tests/csrc/gpu/errors.h"

namespace bindrt::gpu {

inline void test_pinned_memory_is_used_again(Context& context) {
  const auto pool = std::make_shared<PinnedPool>(context, std::size_t{1} << 20);
  std::shared_ptr<std::byte> first = pool->take(100'000);
  const std::byte* const where = first.get();
  CHECK(where != nullptr);
  first.reset();
  first = pool->take(90'000);  // a little less
  CHECK(first.get() == where);
  const std::shared_ptr<std::byte> second = pool->take(600'000);
  CHECK(second != nullptr && second.get() != where);
  CHECK(pool->take(600'000) == nullptr);  // more than it may have
  first.reset();
  first = pool->take(300'000);  // instead of what is kept
  CHECK(first != nullptr);
  CHECK(pool->take((std::size_t{1} << 20) + 1) == nullptr);
  std::memset(first.get(), 1, 300'000);
  StreamQueue queue(context);
  std::vector<unsigned char> got(300'000);
  void* const device = queue.scratch(got.size());
  queue.upload_pinned(device, first.get(), got.size());
  queue.upload_pinned(nullptr, nullptr, 0);
  queue.download(got.data(), device, got.size());
  queue.wait();
  CHECK(got == std::vector<unsigned char>(300'000, 1));
  CHECK(queue.uploaded_bytes() == got.size());
}

inline void test_tables_are_copied_once(Context& context) {
  StreamQueue queue(context);
  int made = 0;
  const auto table = [&](const std::string& key, std::size_t bytes, unsigned char value) {
    const void* const device = queue.table(key, [&] {
      ++made;
      return std::vector<std::byte>(bytes, std::byte{value});
    });
    std::vector<unsigned char> got(bytes);
    queue.download(got.data(), device, bytes);
    queue.wait();
    CHECK(got == std::vector<unsigned char>(bytes, value));
    return device;
  };
  const void* const first = table("a", 1000, 1);
  queue.rewind();
  CHECK(table("a", 1000, 1) == first && made == 1);
  table("b", QueueLimits().tables, 2);  // too many now: it is not kept
  CHECK(table("a", 1000, 1) == first && made == 2);
  queue.rewind();  // forgets all
  table("b", QueueLimits().tables, 2);
  table("b", QueueLimits().tables, 2);
  CHECK(made == 3);
  table("a", 1000, 1);
  CHECK(made == 4);
}

// A table that could not be copied is not taken for one that is there. On a driver that is not simulated
// page-locked memory does not run out.
inline void test_a_table_that_fails_is_forgotten(Context& context) {
  StreamQueue queue(context);
  constexpr std::size_t kBytes = std::size_t{8} << 20;  // more than a chunk of what copies pass through
  const auto make = [] { return std::vector<std::byte>(kBytes, std::byte{7}); };
  std::vector<PinnedMemory> held;
  bool any_left = true;
  for (int i = 0; i < 64 && any_left; ++i) {
    any_left = error_of([&] { held.emplace_back(context, std::size_t{4} << 20); }).empty();
  }
  if (any_left) {
    return;
  }
  held.pop_back();  // room for the first chunk alone
  CHECK(has(error_of([&] { queue.table("a", make); }), "page-locked"));
  held.clear();
  std::vector<std::byte> got(kBytes);
  queue.download(got.data(), queue.table("a", make), kBytes);
  queue.wait();
  CHECK(got == make());
}

}  // namespace bindrt::gpu
