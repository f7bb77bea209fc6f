// Rows of any size, place and distance come one after the other, and nothing else is written.
#include <cstdint>
#include <cstring>
#include <vector>

#include "csrc/live/copy.h"
#include "tests/cpp/check.h"

namespace bindrt::live {
namespace {

constexpr std::byte kUntouched{0xA5};

std::vector<std::byte> numbers(std::size_t size) {
  std::vector<std::byte> made(size);
  for (std::size_t i = 0; i < size; ++i) {
    made[i] = static_cast<std::byte>(i * 7 + i / 251);
  }
  return made;
}

// `from` and `to` begin so many bytes after a multiple of 16.
void check_copy(const Rows& rows, std::size_t to) {
  std::vector<std::byte> memory(rows.bytes() + to + 64, kUntouched);
  std::byte* const out = memory.data() + to;
  copy(rows, out);
  bool equal = true, others = true;
  for (std::ptrdiff_t row = 0; row < rows.count; ++row) {
    const auto at = static_cast<std::size_t>(row) * rows.size;
    equal = equal && (rows.size == 0 || std::memcmp(out + at, rows.data + row * rows.stride, rows.size) == 0);
  }
  for (std::size_t i = 0; i < memory.size(); ++i) {
    others = others && ((i >= to && i < to + rows.bytes()) || memory[i] == kUntouched);
  }
  CHECK(equal && others);
}

void test_sizes_and_places() {
  const std::vector<std::byte> source = numbers(400'000);
  for (const std::size_t size : {0, 1, 15, 16, 65'535, 65'536, 65'551, 300'007}) {
    for (const std::size_t from : {0, 3}) {
      for (const std::size_t to : {0, 5, 16}) {
        check_copy({source.data() + from, 1, size, 0}, to);
      }
    }
  }
}

void test_rows_with_a_distance() {
  const std::vector<std::byte> source = numbers(400'000);
  for (const std::size_t size : {1, 8, 1000, 3001}) {
    const auto stride = static_cast<std::ptrdiff_t>(size);
    check_copy({source.data() + 1, 100, size, stride}, 1);
    check_copy({source.data() + 1, 100, size, stride + 13}, 1);
    check_copy({source.data() + 99 * (stride + 13), 100, size, -(stride + 13)}, 1);
    check_copy({source.data(), 100, size, 0}, 1);
  }
  check_copy({source.data(), 0, 8, 8}, 0);
}

}  // namespace
}  // namespace bindrt::live

int main() {
  bindrt::live::test_sizes_and_places();
  bindrt::live::test_rows_with_a_distance();
  return bindrt::testing::finish();
}
