// The product on matrix tiles, over emulated tiles, against the portable one.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "csrc/native/product/kernels.h"
#include "csrc/native/product/self_test.h"
#include "csrc/native/product/tile_product.h"
#include "tests/cpp/check.h"
#include "tests/csrc/native/emulated_tiles.h"
#include "tests/csrc/native/product_case.h"

namespace {

using namespace bindrt::native;
using bindrt::testing::Aligned;
using bindrt::testing::EmulatedTiles;
using bindrt::testing::my_tiles;
using bindrt::testing::Product;
using bindrt::testing::ProductShape;
using bindrt::testing::Tiles;

template <Numbers kNumbers>
void run(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows, std::int64_t first,
         std::int64_t last, const Target& target) noexcept {
  tiles::Product<EmulatedTiles, kNumbers>(weight, rows_in, rows, target).run(first, last);
}

bool always() noexcept { return true; }
std::int64_t any_rows(std::int64_t /*inputs*/) noexcept { return 64; }

constexpr ProductKernel kInt8{"int8 on tiles", Numbers::kInt8, &always, &any_rows, &run<Numbers::kInt8>};
constexpr ProductKernel kBf16{"bf16 on tiles", Numbers::kBf16, &always, &any_rows, &run<Numbers::kBf16>};

void check_int8(const ProductShape& shape, After after, bool bf16) {
  const Product product(shape, 11);
  const bool same = product.outputs(kInt8, after, bf16, 5) == product.outputs(kPortableInt8, after, bf16, 5);
  if (!same) {
    std::fprintf(stderr, "%d rows, %d × %d, after %d\n", static_cast<int>(shape.rows),
                 static_cast<int>(shape.inputs), static_cast<int>(shape.outputs), static_cast<int>(after));
  }
  CHECK(same);
  CHECK(!my_tiles().configured);  // released
}

// Tiles sum even and odd inputs apart, 16 pairs at a time: within what float64 allows for any order.
void check_bf16(const ProductShape& shape, After after) {
  const Product product(shape, 12);
  const Aligned before = product.target(false, 0);
  const Aligned got = product.outputs(kBf16, after);
  bool good = true;
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    for (std::int64_t n = 0; n < shape.outputs; ++n) {
      const std::int64_t at = row * shape.outputs + n;
      const Product::Exact want = product.exact(row, n, after, static_cast<double>(before.as<float>()[at]));
      good = good && std::fabs(static_cast<double>(got.as<float>()[at]) - want.value) <= want.bound;
    }
  }
  if (!good) {
    std::fprintf(stderr, "%d rows, %d × %d\n", static_cast<int>(shape.rows), static_cast<int>(shape.inputs),
                 static_cast<int>(shape.outputs));
  }
  CHECK(good);
}

void test_rows() {
  for (std::int64_t rows = 1; rows <= 70; ++rows) {
    check_int8({.numbers = Numbers::kInt8, .inputs = 70, .outputs = 81, .rows = rows}, After::kStore, false);
    check_bf16({.numbers = Numbers::kBf16, .inputs = 70, .outputs = 81, .rows = rows}, After::kStore);
  }
  check_int8({.numbers = Numbers::kInt8, .inputs = 130, .outputs = 70, .rows = 257}, After::kAdd, false);
  check_bf16({.numbers = Numbers::kBf16, .inputs = 35, .outputs = 70, .rows = 257}, After::kAdd);
}

void test_sizes() {
  for (const std::int64_t inputs : {1, 63, 64, 65, 588}) {
    for (const std::int64_t outputs : {1, 16, 31, 32, 33, 64, 65, 200}) {
      for (const std::int64_t rows : {3, 35}) {
        check_int8({.numbers = Numbers::kInt8, .inputs = inputs, .outputs = outputs, .rows = rows},
                   After::kAdd, false);
        check_bf16({.numbers = Numbers::kBf16, .inputs = inputs, .outputs = outputs, .rows = rows},
                   After::kGelu);
      }
    }
  }
  for (const float size : {0x1p-120F, 0x1p-126F, 0x1p-130F}) {  // few, many, all subnormal
    check_bf16({.numbers = Numbers::kBf16,
                .inputs = 66,
                .outputs = 64,
                .rows = 9,
                .bias = false,
                .weight_size = size},
               After::kStore);
  }
  for (const After after : {After::kStore, After::kGelu}) {
    check_int8({.numbers = Numbers::kInt8, .inputs = 100, .outputs = 100, .rows = 40, .bias = false}, after,
               true);
  }
}

// The bits do not depend on which rows and panels are computed together, nor on the threads.
template <class Kernel>
void check_parts(const Kernel& kernel) {
  const ProductShape shape{.numbers = kernel.numbers, .inputs = 90, .outputs = 300, .rows = 83};
  const Product product(shape, 13);
  const Aligned whole = product.outputs(kernel, After::kAdd);
  for (const std::int64_t rows : {1, 16, 37, 83}) {
    Aligned parts = product.target(false, 0);
    std::vector<std::thread> threads;
    for (std::int64_t panel = 0; panel < product.panels(); panel += 2) {
      threads.emplace_back([&, panel] {
        for (std::int64_t row = 0; row < shape.rows; row += rows) {
          product.run(kernel, After::kAdd, false, 0, parts, row, std::min(rows, shape.rows - row), panel,
                      std::min(panel + 2, product.panels()));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    CHECK(parts == whole);
  }
}

// Loads and products of a block of rows, and that tiles are configured no more than needed.
void test_work() {
  struct Case {
    std::int64_t rows, configures, loads, products;  // for a panel and 64 bytes of inputs
  };
  for (const Case& want : {Case{10, 1, 5, 4},
                           {16, 1, 5, 4},
                           {32, 1, 8, 8},
                           {33, 1, 14, 12},
                           {48, 1, 14, 12},
                           {49, 2, 16, 16},
                           {64, 1, 16, 16},
                           {257, 2, 7 * 8 + 14, 7 * 8 + 12}}) {
    const ProductShape shape{.numbers = Numbers::kInt8, .inputs = 64, .outputs = 64, .rows = want.rows};
    const Product product(shape, 14);
    const Tiles before = my_tiles();
    (void)product.outputs(kInt8);
    CHECK(my_tiles().configures - before.configures == want.configures);
    CHECK(my_tiles().loads - before.loads == want.loads);
    CHECK(my_tiles().products - before.products == want.products);
  }
}

// All weights but the first steps are fetched, each line once, in their order, and nothing behind them.
void test_fetches() {
  for (const std::int64_t rows : {1, 16, 20, 40, 257}) {
    for (const std::int64_t inputs : {64, 448}) {
      const Product product({.numbers = Numbers::kInt8, .inputs = inputs, .outputs = 270, .rows = rows}, 15);
      const std::int64_t bytes = packed_bytes(Numbers::kInt8, inputs, 270);
      my_tiles().lines = 0;
      (void)product.outputs(kInt8);
      const std::int64_t skipped = std::min<std::int64_t>(inputs, 4 * 64) * kPanel;
      CHECK(my_tiles().lines == (bytes - skipped) / 64);
      CHECK(my_tiles().fetched == product.weights() + bytes);
    }
  }
}

// The emulation refuses what the processor refuses.
template <class Body>
void check_fault(Body&& body) {
  bool refused = false;
  try {
    body();
  } catch (const std::logic_error&) {
    refused = true;
  }
  CHECK(refused);
}

tiles::Config sixteen_by_sixteen() {
  tiles::Config config;
  config.palette = 1;
  for (int tile = 0; tile < tiles::kTiles; ++tile) {
    config.rows[tile] = 16;
    config.row_bytes[tile] = 64;
  }
  return config;
}

void check_refused(void (*spoil)(tiles::Config&)) {
  tiles::Config config = sixteen_by_sixteen();
  spoil(config);
  check_fault([&] { EmulatedTiles::configure(config); });
}

void check_no_product(void (*spoil)(tiles::Config&)) {
  tiles::Config config = sixteen_by_sixteen();
  spoil(config);
  EmulatedTiles::configure(config);
  check_fault([] { EmulatedTiles::multiply<Numbers::kInt8, 0, 1, 2>(); });
}

void test_faults() {
  check_refused([](tiles::Config& config) { config.palette = 2; });
  check_refused([](tiles::Config& config) { config.rows[3] = 17; });
  check_refused([](tiles::Config& config) { config.row_bytes[3] = 65; });
  check_refused([](tiles::Config& config) { config.rows[3] = 0; });
  check_refused([](tiles::Config& config) { config.rows[8] = 1; });
  check_refused([](tiles::Config& config) { config.reserved[0] = 1; });
  check_no_product([](tiles::Config& config) { config.rows[0] = 15; });
  check_no_product([](tiles::Config& config) { config.rows[2] = 15; });
  check_no_product([](tiles::Config& config) { config.row_bytes[0] = 60; });
  check_no_product([](tiles::Config& config) { config.row_bytes[1] = 60; });
  EmulatedTiles::configure(sixteen_by_sixteen());
  check_fault([] { EmulatedTiles::multiply<Numbers::kInt8, 0, 1, 1>(); });
  EmulatedTiles::release();
  check_fault([] { EmulatedTiles::zero<0>(); });
  std::uint8_t row[64] = {};
  check_fault([&] { EmulatedTiles::load<0>(row, 64); });
}

// One product by hand: bytes are unsigned by signed, sums wrap; pairs of bf16 round as documented.
void test_arithmetic() {
  tiles::Config config = sixteen_by_sixteen();
  for (int tile = 0; tile < 3; ++tile) {
    config.rows[tile] = 1;
    config.row_bytes[tile] = 4;
  }
  const auto multiply = [&]<Numbers kNumbers>(const void* a, const void* b, const void* sum, void* to) {
    EmulatedTiles::configure(config);
    EmulatedTiles::load<0>(sum, 4);
    EmulatedTiles::load<1>(a, 4);
    EmulatedTiles::load<2>(b, 4);
    EmulatedTiles::multiply<kNumbers, 0, 1, 2>();
    EmulatedTiles::store<0>(to, 4);
    EmulatedTiles::release();
  };
  const std::uint8_t bytes[4] = {255, 1, 0, 200};
  const std::int8_t weights[4] = {-128, 127, 5, 100};
  std::int32_t sum = 7;
  multiply.operator()<Numbers::kInt8>(bytes, weights, &sum, &sum);
  CHECK(sum == 7 - 255 * 128 + 127 + 200 * 100);

  const std::uint16_t pair[2] = {to_bf16(1.5F), to_bf16(0x1p-24F)};
  const std::uint16_t ones[2] = {to_bf16(1.0F), to_bf16(1.0F)};
  float result = 0x1p-24F;  // each alone is lost beside 1.5
  multiply.operator()<Numbers::kBf16>(pair, ones, &result, &result);
  CHECK(result == 1.5F);
  const std::uint16_t tiny[2] = {0x0001, to_bf16(0x1p-100F)};  // subnormal; a subnormal product
  const std::uint16_t factors[2] = {to_bf16(0x1p100F), to_bf16(0x1p-30F)};
  result = 0.0F;
  multiply.operator()<Numbers::kBf16>(tiny, factors, &result, &result);
  CHECK(result == 0.0F);
}

}  // namespace

int main() {
  test_arithmetic();
  test_faults();
  test_rows();
  test_sizes();
  test_work();
  test_fetches();
  check_parts(kInt8);
  check_parts(kBf16);
  CHECK(computes_right(kInt8) && computes_right(kBf16));
  return bindrt::testing::finish();
}
