// The example kernels against plain C++.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/cpp/check.h"
#include "tests/cudasim/example_params.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::cudasim::example;

std::vector<std::uint8_t> bytes_of(std::size_t count) {
  Random random(11);
  std::vector<std::uint8_t> bytes(count);
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(random.below(256)); });
  return bytes;
}

// Small integers: every order of summing gives the same.
void test_sum_rows(int rows, int width, unsigned block) {
  std::vector<float> values(static_cast<std::size_t>(rows * width));
  Random random(5);
  std::generate(values.begin(), values.end(), [&] { return static_cast<float>(random.below(1000)); });
  SimQueue queue;
  const DeviceArray<float> input(values);
  const DeviceArray<float> sums(static_cast<std::size_t>(rows));
  queue.launch("bindrt_example_sum_rows", {.grid_x = static_cast<unsigned>(rows), .block_x = block},
               SumRowsParams{input.data(), sums.data(), width});
  const std::vector<float> got = sums.download();
  for (int row = 0; row < rows; ++row) {
    const auto begin = values.begin() + row * width;
    CHECK(got[static_cast<std::size_t>(row)] == std::accumulate(begin, begin + width, 0.0F));
  }
}

float resized(const std::vector<std::uint8_t>& source, const ResizeParams& p, int x, int y) {
  const auto position = [](int output, int size, int from) {
    const float scale = static_cast<float>(from) / static_cast<float>(size);
    return std::max(0.0F, (static_cast<float>(output) + 0.5F) * scale - 0.5F);
  };
  const float at_x = position(x, p.width, p.source_width);
  const float at_y = position(y, p.height, p.source_height);
  const int left = static_cast<int>(at_x);
  const int top = static_cast<int>(at_y);
  const auto pixel = [&](int column, int row) {
    column = std::min(column, p.source_width - 1);
    row = std::min(row, p.source_height - 1);
    return static_cast<float>(source[static_cast<std::size_t>(row * p.source_width + column)]);
  };
  const auto between = [&](int row) {
    return pixel(left, row) + (pixel(left + 1, row) - pixel(left, row)) * (at_x - static_cast<float>(left));
  };
  return between(top) + (between(top + 1) - between(top)) * (at_y - static_cast<float>(top));
}

void test_resize(int source_width, int source_height, int width, int height) {
  const auto source = bytes_of(static_cast<std::size_t>(source_width * source_height));
  SimQueue queue;
  const DeviceArray<std::uint8_t> input(source);
  const DeviceArray<float> out(static_cast<std::size_t>(width * height));
  // What the largest tile needs: its outputs' width in the source, and a pixel at each side.
  const auto span = [](int size, int from) {
    return std::min(from, static_cast<int>(std::ceil(kTile * static_cast<double>(from) / size)) + 2);
  };
  const int capacity = span(width, source_width) * span(height, source_height);
  const ResizeParams params{input.data(), out.data(), source_width, source_height, width, height, capacity};
  queue.launch("bindrt_example_resize",
               {.grid_x = static_cast<unsigned>((width + kTile - 1) / kTile),
                .grid_y = static_cast<unsigned>((height + kTile - 1) / kTile),
                .block_x = kTile,
                .block_y = kTile,
                .shared_bytes = static_cast<unsigned>(capacity) * 4U},
               params);
  const std::vector<float> got = out.download();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      CHECK(got[static_cast<std::size_t>(y * width + x)] == resized(source, params, x, y));
    }
  }
}

void test_histogram(std::size_t count) {
  const auto values = bytes_of(count);
  SimQueue queue;
  const DeviceArray<std::uint8_t> input(values);
  const DeviceArray<std::uint32_t> counts(std::vector<std::uint32_t>(256, 0));
  queue.launch("bindrt_example_histogram", {.grid_x = 3, .block_x = 256},
               HistogramParams{input.data(), counts.data(), static_cast<std::int64_t>(count)});
  const std::vector<std::uint32_t> got = counts.download();
  for (int value = 0; value < 256; ++value) {
    CHECK(got[static_cast<std::size_t>(value)] == std::count(values.begin(), values.end(), value));
  }
}

}  // namespace

int main() {
  test_sum_rows(3, 1000, 256);
  test_sum_rows(2, 7, 64);
  test_resize(37, 23, 61, 40);
  test_resize(64, 48, 20, 20);
  test_resize(1, 1, 3, 3);
  test_histogram(5000);
  return bindrt::testing::finish();
}
