// Every product kernel of this machine against the portable one, and that one against float64.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <string_view>
#include <vector>

#include "csrc/native/product/kernels.h"
#include "csrc/native/product/self_test.h"
#include "tests/cpp/check.h"
#include "tests/csrc/native/product_case.h"

namespace {

using namespace bindrt::native;
using bindrt::testing::Aligned;
using bindrt::testing::Product;
using bindrt::testing::ProductShape;
using bindrt::testing::sums_otherwise;

constexpr Numbers kAllNumbers[] = {Numbers::kFloat32, Numbers::kBf16, Numbers::kInt8};
constexpr After kAllAfter[] = {After::kStore, After::kGelu, After::kAdd};

const ProductKernel& portable(Numbers numbers) {
  return *std::ranges::find(product_kernels(), numbers, &ProductKernel::numbers);
}

// Calls `body` with every kernel that runs here and is not portable.
template <class Body>
void with_others(Body&& body) {
  for (const ProductKernel& kernel : product_kernels()) {
    if (kernel.available() && &kernel != &portable(kernel.numbers)) {
      body(kernel);
    }
  }
}

double number(const Aligned& from, bool bf16, std::int64_t at) {
  return static_cast<double>(bf16 ? from_bf16(from.as<std::uint16_t>()[at]) : from.as<float>()[at]);
}

// Every output is as float64 has it, and what stands between the rows is as it was.
void check_exact(const Product& product, const ProductKernel& kernel, After after, bool bf16) {
  constexpr std::int64_t kGap = 3;
  const Aligned before = product.target(bf16, kGap);
  const Aligned got = product.outputs(kernel, after, bf16, kGap);
  const ProductShape& shape = product.shape();
  bool good = true;
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    for (std::int64_t n = 0; n < shape.outputs + (row + 1 < shape.rows ? kGap : 0); ++n) {
      const std::int64_t at = row * (shape.outputs + kGap) + n;
      const double value = number(got, bf16, at);
      if (n >= shape.outputs) {
        good = good && value == number(before, bf16, at);
        continue;
      }
      const Product::Exact want = product.exact(row, n, after, number(before, bf16, at));
      const double bound = bf16 ? want.bound + 0x1p-8 * std::fabs(want.value) : want.bound;
      good = good && std::fabs(value - want.value) <= bound;
    }
  }
  if (!good) {
    std::fprintf(stderr, "%s, numbers %d: %d rows, %d × %d, after %d\n", kernel.name,
                 static_cast<int>(kernel.numbers), static_cast<int>(shape.rows),
                 static_cast<int>(shape.inputs), static_cast<int>(shape.outputs), static_cast<int>(after));
  }
  CHECK(good);
}

void test_against_float64() {
  for (const Numbers numbers : kAllNumbers) {
    for (const std::int64_t inputs : {1, 3, 65, 588}) {
      for (const std::int64_t outputs : {1, 64, 130}) {
        const Product product({.numbers = numbers, .inputs = inputs, .outputs = outputs, .rows = 3}, 1);
        for (const ProductKernel& kernel : product_kernels()) {
          if (kernel.numbers != numbers || !kernel.available()) {
            continue;
          }
          for (const After after : kAllAfter) {
            check_exact(product, kernel, after, false);
            if (after != After::kAdd) {
              check_exact(product, kernel, after, true);
            }
          }
        }
      }
    }
  }
}

// The same bits as the portable kernel, or as close as another order may be.
void check_like_portable(const ProductShape& shape) {
  const Product product(shape, 2);
  const auto check = [&](After after, bool bf16) {
    const Aligned want = product.outputs(portable(shape.numbers), after, bf16);
    with_others([&](const ProductKernel& kernel) {
      if (kernel.numbers != shape.numbers) {
        return;
      }
      if (sums_otherwise(kernel)) {
        check_exact(product, kernel, after, bf16);
        return;
      }
      const bool same = product.outputs(kernel, after, bf16) == want;
      if (!same) {
        std::fprintf(stderr, "%s, numbers %d: %d rows, %d × %d\n", kernel.name,
                     static_cast<int>(shape.numbers), static_cast<int>(shape.rows),
                     static_cast<int>(shape.inputs), static_cast<int>(shape.outputs));
      }
      CHECK(same);
    });
  };
  for (const After after : kAllAfter) {
    check(after, false);
  }
  check(After::kStore, true);
}

void test_rows() {
  for (const Numbers numbers : kAllNumbers) {
    for (std::int64_t rows = 1; rows <= 20; ++rows) {
      check_like_portable({.numbers = numbers, .inputs = 65, .outputs = 96, .rows = rows});
    }
    check_like_portable({.numbers = numbers, .inputs = 65, .outputs = 65, .rows = 257});
  }
  // More weights than are passed over at once, and more rows than have their sums kept meanwhile.
  check_like_portable({.numbers = Numbers::kFloat32, .inputs = 1600, .outputs = 64, .rows = 98});
}

void test_inputs() {
  for (const Numbers numbers : kAllNumbers) {
    for (const std::int64_t inputs : {1, 2, 3, 63, 64, 65, 96, 128, 588, 3 * 2 * 14 * 14, 5120}) {
      check_like_portable(
          {.numbers = numbers, .inputs = inputs, .outputs = 65, .rows = inputs > 1000 ? 2 : 7});
    }
  }
}

// Weights at the end of their range times activations at theirs: no partial sum is cut off.
void test_largest_weights() {
  for (const int largest : {63, 127}) {
    check_like_portable(
        {.numbers = Numbers::kInt8, .inputs = 1280, .outputs = 64, .rows = 13, .largest_weight = largest});
  }
}

// Sums among the subnormal numbers, which bf16 takes for zeros and float32 does not.
void test_smallest_numbers() {
  for (const Numbers numbers : {Numbers::kFloat32, Numbers::kBf16}) {
    for (const float size : {0x1p-120F, 0x1p-126F, 0x1p-130F}) {
      check_like_portable(
          {.numbers = numbers, .inputs = 66, .outputs = 64, .rows = 9, .bias = false, .weight_size = size});
    }
  }
}

// Rows and panels computed apart are the bits of all computed at once.
void test_parts() {
  for (const ProductKernel& kernel : product_kernels()) {
    if (!kernel.available()) {
      continue;
    }
    const ProductShape shape{
        .numbers = kernel.numbers, .inputs = 4097, .outputs = 200, .rows = 23, .bias = false};
    const Product product(shape, 3);
    const Aligned whole = product.outputs(kernel, After::kGelu);
    for (const std::int64_t rows : {1, 4, 11}) {
      Aligned parts = product.target(false, 0);
      for (std::int64_t row = 0; row < shape.rows; row += rows) {
        for (std::int64_t panel = 0; panel < product.panels(); ++panel) {
          product.run(kernel, After::kGelu, false, 0, parts, row, std::min(rows, shape.rows - row), panel,
                      panel + 1);
        }
      }
      CHECK(parts == whole);
    }
  }
}

// With one input of weight 1 and no bias an output is the GELU of an activation.
void test_gelu() {
  alignas(64) float weights[kPanel] = {1.0F};
  const PackedWeight weight{Numbers::kFloat32, 1, 1, weights, nullptr, nullptr, nullptr};
  for (const ProductKernel& kernel : product_kernels()) {
    if (kernel.numbers != Numbers::kFloat32 || !kernel.available()) {
      continue;
    }
    const auto gelu = [&](float value) {
      alignas(64) float row[16] = {value};
      float result = 0;
      kernel.run(weight, {row, 64, nullptr}, 1, 0, 1, {&result, 1, false, After::kGelu});
      return result;
    };
    double worst = 0;
    for (float y = -12.0F; y < 12.0F; y += 0.0037F) {
      const double exact = static_cast<double>(y);
      const double want = 0.5 * exact * (1 + std::erf(exact / std::sqrt(2.0)));
      worst = std::max(worst, std::fabs(static_cast<double>(gelu(y)) - want) / std::fabs(exact));
    }
    CHECK_NEAR(worst, 0, 1.3e-7);
    CHECK(gelu(1e30F) == 1e30F && gelu(-1e30F) == 0.0F && gelu(0.0F) == 0.0F);
    CHECK(std::isnan(gelu(std::numeric_limits<float>::quiet_NaN())));
  }
}

// For tests that choose the processor.
void print_kernels() {
  for (const ProductKernel& kernel : product_kernels()) {
    if (kernel.available()) {
      std::printf("kernel %s, numbers %d\n", kernel.name, static_cast<int>(kernel.numbers));
    }
  }
}

void test_choice() {
  for (const Numbers numbers : kAllNumbers) {
    const ProductKernel& fastest = product_kernel(numbers);
    CHECK(fastest.numbers == numbers && fastest.available());
    CHECK(std::string_view(portable(numbers).name) == "portable");
    CHECK(limit_product_kernel(numbers, "portable"));
    CHECK(&product_kernel(numbers) == &portable(numbers));
    CHECK(!limit_product_kernel(numbers, "no such kernel"));
    CHECK(&product_kernel(numbers) == &portable(numbers));
    CHECK(limit_product_kernel(numbers, ""));
    CHECK(&product_kernel(numbers) == &fastest);
    CHECK(fastest.good_rows(1280) > 0);
  }
}

// Kernels that go wrong as one may on a processor that nothing here has seen.
using Run = decltype(ProductKernel::run);
void without_last_row(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows,
                      std::int64_t first, std::int64_t last, const Target& target) noexcept {
  kPortableInt8.run(weight, rows_in, rows - 1, first, last, target);
}
void without_last_panel(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows,
                        std::int64_t first, std::int64_t last, const Target& target) noexcept {
  kPortableInt8.run(weight, rows_in, rows, first, last - 1, target);
}
void with_other_zero(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows,
                     std::int64_t first, std::int64_t last, const Target& target) noexcept {
  PackedWeight other = weight;
  const std::vector<std::int32_t> sums(static_cast<std::size_t>(panels_of(weight.outputs) * kPanel), 1);
  other.sums = sums.data();
  kPortableInt8.run(other, rows_in, rows, first, last, target);
}
void of_signed_bytes(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows,
                     std::int64_t first, std::int64_t last, const Target& target) noexcept {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(rows * rows_in.stride));
  std::transform(static_cast<const std::uint8_t*>(rows_in.data),
                 static_cast<const std::uint8_t*>(rows_in.data) + bytes.size(), bytes.begin(),
                 [](std::uint8_t byte) { return static_cast<std::uint8_t>(byte > 127 ? 127 : byte); });
  kPortableInt8.run(weight, {bytes.data(), rows_in.stride, rows_in.steps}, rows, first, last, target);
}

void test_trial() {
  for (const ProductKernel& kernel : product_kernels()) {
    CHECK(!kernel.available() || (computes_right(kernel) && !is_wrong(kernel)));
  }
  for (const Run run : {&without_last_row, &without_last_panel, &with_other_zero, &of_signed_bytes}) {
    const ProductKernel wrong{"wrong", Numbers::kInt8, kPortableInt8.available, kPortableInt8.good_rows, run};
    CHECK(!computes_right(wrong));
    const ProductKernel some[] = {kPortableFloat32, kPortableInt8, wrong, kPortableBf16, wrong};
    const Choice choice = fastest_right(some, Numbers::kInt8);
    CHECK(choice.kernel == &some[1] && choice.wrong == 0b10100);
  }
  const ProductKernel good[] = {kPortableInt8, kPortableInt8};
  CHECK(fastest_right(good, Numbers::kInt8).kernel == &good[1]);
}

}  // namespace

int main() {
  print_kernels();
  test_choice();
  test_trial();
  test_against_float64();
  test_rows();
  test_inputs();
  test_largest_weights();
  test_smallest_numbers();
  test_parts();
  test_gelu();
  return bindrt::testing::finish();
}
