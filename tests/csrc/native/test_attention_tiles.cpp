// Attention on emulated tiles: the sizes that encoders have, its work, and the test that it must pass before
// it is used. stress_attention.cpp has any sizes.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "csrc/native/ops/attention.h"
#include "csrc/native/ops/attention_kernel.h"
#include "csrc/native/ops/few_rows_tiles.h"
#include "tests/cpp/check.h"
#include "tests/csrc/native/emulated_tiles.h"

namespace {

using namespace bindrt::native;
using bindrt::testing::EmulatedTiles;
using bindrt::testing::my_tiles;

void on_tiles(const FewRows& work) noexcept { tiles::FewRowsProduct<EmulatedTiles>(work).run(); }
bool always() noexcept { return true; }
constexpr AttentionKernel kTiles{"tiles", Units::kPairs, &on_tiles, kTileAttention, &always};

struct Case {
  std::int64_t rows;
  std::int64_t head_width;
  bool causal = false;
  bool biased = false;
  std::int64_t first = 0;  // query
};

class Attention {
 public:
  explicit Attention(const Case& c) : c_(c) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    for (std::vector<std::uint16_t>* numbers : {&query_, &key_, &value_}) {
      const float size = numbers == &query_ ? 1 / std::sqrt(static_cast<float>(c.head_width)) : 1.0F;
      for (std::int64_t i = 0; i < (c.rows + 1) * c.head_width; ++i) {  // the last of keys: the bias
        numbers->push_back(to_bf16(size * normal(random)));
      }
    }
  }

  std::vector<std::uint16_t> run(const AttentionKernel& kernel) {
    std::vector<std::uint16_t> out(static_cast<std::size_t>(c_.rows * c_.head_width), to_bf16(9.0F));
    AttentionRows rows;
    rows.bf16 = true;
    rows.head_width = c_.head_width;
    rows.query = query_.data();
    rows.key = key_.data();
    rows.value = value_.data();
    rows.query_stride = rows.stride = rows.out_stride = c_.head_width;
    rows.bias_key = c_.biased ? &key_[static_cast<std::size_t>(c_.rows * c_.head_width)] : nullptr;
    rows.bias_value = c_.biased ? &value_[static_cast<std::size_t>(c_.rows * c_.head_width)] : nullptr;
    rows.out = out.data();
    const std::size_t bytes = attention_scratch(c_.rows, c_.head_width);
    const std::unique_ptr<void, decltype(&std::free)> scratch(std::aligned_alloc(64, bytes), &std::free);
    std::memset(scratch.get(), 0xFF, bytes);  // NaN: what is read before it is written is seen
    attend_by(kernel, rows, {0, c_.rows, 0, 0, c_.first, c_.rows, c_.causal}, scratch.get());
    return out;
  }

 private:
  Case c_;
  std::vector<std::uint16_t> query_, key_, value_;
};

// As near to the vectors' result, which rounds the same, as another order of sums may be.
void check_like_vectors(const Case& c) {
  Attention attention(c);
  const std::vector<std::uint16_t> got = attention.run(kTiles);
  CHECK(!my_tiles().configured);  // released
  limit_attention_kernel("vectors");
  const std::vector<std::uint16_t> want = attention.run(attention_kernel(true));
  limit_attention_kernel("");
  bool near = true;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto value = static_cast<double>(from_bf16(want[i]));
    near = near && std::fabs(static_cast<double>(from_bf16(got[i])) - value) <= 0.01 * (1 + std::fabs(value));
  }
  CHECK(near);
}

void test_sizes() {
  for (const std::int64_t rows : {10, 77, 197, 229, 257}) {
    for (const std::int64_t head_width : {64, 80}) {
      check_like_vectors({.rows = rows, .head_width = head_width, .first = rows > 100 ? rows - 83 : 0});
    }
  }
  check_like_vectors({.rows = 77, .head_width = 64, .causal = true});
  check_like_vectors({.rows = 60, .head_width = 48, .biased = true});
  check_like_vectors({.rows = 1, .head_width = 8});
  // More keys than have their scores held at once.
  check_like_vectors({.rows = 600, .head_width = 32, .first = 560});
}

// Products of 16 × 16 × 32, and configurations: none for rows, columns or keys that are not there, but those
// that fill up a tile.
void test_work() {
  struct Work {
    std::int64_t rows, head_width, products, configures;
  };
  for (const Work& want : {
           // One tile of rows; scores: one of keys by two steps, mixed: four of columns by one step.
           Work{10, 64, 2 + 4, 2},
           // Seven blocks of two tiles and one of three; scores: 17 by 3, mixed: 5 by 9.
           Work{257, 80, (7 * 2 + 3) * (17 * 3 + 5 * 9), 2 * 8},
           // Two blocks, of two and of three tiles; scores: 5 by 2, mixed: 4 by 3.
           Work{77, 64, (2 + 3) * (5 * 2 + 4 * 3), 2 * 2},
       }) {
    Attention attention({.rows = want.rows, .head_width = want.head_width});
    const auto before = my_tiles();
    attention.run(kTiles);
    CHECK(my_tiles().products - before.products == want.products);
    CHECK(my_tiles().configures - before.configures == want.configures);
  }
}

// Kernels that go wrong as one may on a processor that nothing here has seen.
void without_last_rows(const FewRows& work) noexcept {
  FewRows less = work;
  less.rows -= work.rows > 16 ? 1 : 0;
  on_tiles(less);
}
void without_last_step(const FewRows& work) noexcept {
  FewRows less = work;
  less.depth -= 16;
  on_tiles(less);
}
void without_last_columns(const FewRows& work) noexcept {
  FewRows less = work;
  less.columns -= 16;
  on_tiles(less);
}
void not_a_number(const FewRows& work) noexcept {
  on_tiles(work);
  work.c[0] = std::nanf("");
}

void test_trial() {
  CHECK(computes_right(kTiles));
  for (const FewRowsProduct product :
       {&without_last_rows, &without_last_step, &without_last_columns, &not_a_number}) {
    CHECK(!computes_right(AttentionKernel{"wrong", Units::kPairs, product, kTileAttention, &always}));
  }
  for (const AttentionKernel& kernel : attention_kernels()) {
    CHECK(!kernel.available() || (computes_right(kernel) && !is_wrong(kernel)));
  }
}

void test_choice() {
  CHECK(attention_kernel(false).units == Units::kFloats);
  CHECK(limit_attention_kernel("vectors"));
  CHECK(attention_kernel(true).units == Units::kWidened);
  CHECK(!limit_attention_kernel("no such kernel"));
  CHECK(limit_attention_kernel(""));
  for (const AttentionKernel& kernel : attention_kernels()) {
    CHECK(limit_attention_kernel(kernel.name) == kernel.available());
    CHECK(!kernel.available() || attention_kernel(true).product == kernel.product);
  }
  limit_attention_kernel("");
}

}  // namespace

int main() {
  test_sizes();
  test_work();
  test_trial();
  test_choice();
  return bindrt::testing::finish();
}
