// Products of random shapes: every kernel of this machine against the portable one, in parts as well.
#include <algorithm>
#include <vector>

#include "tests/cpp/stress.h"
#include "tests/csrc/native/product_case.h"

namespace bindrt::stress {
namespace {

using testing::Aligned;
using testing::Product;
using testing::ProductShape;

// Where [0, count) is cut, both ends among the cuts.
std::vector<std::int64_t> cuts(Bytes& bytes, std::int64_t count) {
  std::vector<std::int64_t> at{0};
  while (at.back() < count) {
    at.push_back(std::min(count, at.back() + bytes.small(1, count)));
  }
  return at;
}

}  // namespace

void one_case(Bytes& bytes) {
  constexpr native::Numbers kNumbers[] = {native::Numbers::kFloat32, native::Numbers::kBf16,
                                          native::Numbers::kInt8};
  constexpr native::After kAfter[] = {native::After::kStore, native::After::kGelu, native::After::kAdd};
  ProductShape shape;
  shape.numbers = bytes.one_of(kNumbers);
  shape.inputs = bytes.small(1, 700);
  shape.outputs = bytes.small(1, 300);
  shape.rows = bytes.small(1, std::max<std::int64_t>(1, 4000 / shape.inputs / (1 + shape.outputs / 64)));
  shape.bias = bytes.chance(2);
  shape.largest_weight = bytes.number(1, 127);
  const native::After after = bytes.one_of(kAfter);
  const bool bf16 = after != native::After::kAdd && bytes.chance(2);
  const std::int64_t gap = bytes.small(0, 70);
  const Product product(shape, static_cast<std::uint32_t>(bytes.bits(32)));
  const std::vector<std::int64_t> rows = cuts(bytes, shape.rows), panels = cuts(bytes, product.panels());

  const native::ProductKernel* reference = nullptr;
  for (const native::ProductKernel& kernel : native::product_kernels()) {
    if (kernel.numbers != shape.numbers || !kernel.available()) {
      continue;
    }
    const Aligned whole = product.outputs(kernel, after, bf16, gap);
    Aligned parts = product.target(bf16, gap);
    for (std::size_t r = 0; r + 1 < rows.size(); ++r) {
      for (std::size_t p = 0; p + 1 < panels.size(); ++p) {
        product.run(kernel, after, bf16, gap, parts, rows[r], rows[r + 1] - rows[r], panels[p],
                    panels[p + 1]);
      }
    }
    CHECK(parts == whole);
    if (reference == nullptr) {
      reference = &kernel;
    } else if (!testing::sums_otherwise(kernel)) {
      CHECK(whole == product.outputs(*reference, after, bf16, gap));
    }
  }
}

}  // namespace bindrt::stress
