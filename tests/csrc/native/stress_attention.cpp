// Attention of random sequences: against float64, and the same bits for any share of the queries.
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "csrc/native/numbers.h"
#include "csrc/native/ops/attention.h"
#include "csrc/native/ops/attention_kernel.h"
#include "csrc/native/ops/few_rows_tiles.h"
#include "tests/cpp/stress.h"
#include "tests/csrc/native/emulated_tiles.h"
#include "tests/csrc/native/levels.h"

namespace {

using namespace bindrt;
using namespace bindrt::native;

struct Case {
  bool bf16;
  bool biased;
  bool causal;
  bool pooled;  // one query, behind the others
  std::int64_t heads;
  std::int64_t head_width;
  std::vector<std::int64_t> lengths;

  std::int64_t width() const { return heads * head_width; }
  std::int64_t size() const { return bf16 ? 2 : 4; }
  std::int64_t rows() const {
    std::int64_t count = 0;
    for (const std::int64_t length : lengths) {
      count += length;
    }
    return count;
  }
};

Case a_case(stress::Bytes& bytes) {
  constexpr std::int64_t kWidths[] = {8, 16, 24, 48, 64, 80, 1, 37, 130};
  Case c;
  c.bf16 = bytes.chance(2);
  c.biased = bytes.chance(2);
  c.causal = bytes.chance(2);
  c.pooled = bytes.chance(4);
  c.heads = bytes.small(1, 3);
  c.head_width = bytes.one_of(kWidths);
  const bool is_long = bytes.chance(20);
  for (std::int64_t i = bytes.small(1, 3); i > 0; --i) {
    c.lengths.push_back(is_long ? bytes.range(500, 1100) : bytes.small(1, 90));
  }
  if (is_long) {
    c.lengths.resize(1);
    c.heads = 1;
  }
  return c;
}

// Numbers of either type, in a block that ends with the last of them.
struct Numbers16 {
  Numbers16(const Case& c, std::int64_t count) : bf16(c.bf16), memory(count * c.size()) {}
  void set(std::int64_t i, float x) {
    const std::uint16_t narrow = to_bf16(x);
    std::memcpy(memory.data() + i * (bf16 ? 2 : 4), bf16 ? static_cast<const void*>(&narrow) : &x,
                bf16 ? 2 : 4);
  }
  double at(std::int64_t i) const {
    if (bf16) {
      std::uint16_t narrow;
      std::memcpy(&narrow, memory.data() + 2 * i, 2);
      return static_cast<double>(from_bf16(narrow));
    }
    float x;
    std::memcpy(&x, memory.data() + 4 * i, 4);
    return static_cast<double>(x);
  }
  void fill(std::mt19937& random, double deviation) {
    std::normal_distribution<float> normal(0.0F, static_cast<float>(deviation));
    for (std::int64_t i = 0; i < memory.size() / (bf16 ? 2 : 4); ++i) {
      set(i, normal(random));
    }
  }
  bool same(const Numbers16& other) const {
    return std::memcmp(memory.data(), other.memory.data(), static_cast<std::size_t>(memory.size())) == 0;
  }
  bool bf16;
  stress::Exact<std::uint8_t> memory;
};

struct Data {
  Data(const Case& c, stress::Bytes& bytes)
      : qkv(c, c.rows() * 3 * c.width()), key(c, c.width()), value(c, c.width()) {
    std::mt19937 random = bytes.random();
    const double sharp = bytes.real(0.1, 2.0);
    qkv.fill(random, 1.0);
    for (std::int64_t row = 0; row < c.rows(); ++row) {
      for (std::int64_t i = 0; i < c.width(); ++i) {
        const std::int64_t at = row * 3 * c.width() + i;
        qkv.set(at, static_cast<float>(qkv.at(at) * sharp / std::sqrt(static_cast<double>(c.head_width))));
      }
    }
    key.fill(random, 1.0);
    value.fill(random, 1.0);
  }
  Numbers16 qkv;
  Numbers16 key;
  Numbers16 value;
};

// Calls `body` for each sequence with its first row, length, first query and number of queries.
template <class Body>
void each_sequence(const Case& c, Body&& body) {
  std::int64_t row = 0;
  for (const std::int64_t length : c.lengths) {
    body(row, length, c.pooled ? length - 1 : 0);
    row += length;
  }
}

void run(const AttentionKernel& kernel, const Case& c, const Data& data, Numbers16& out,
         stress::Bytes* shares) {
  AttentionRows rows;
  rows.bf16 = c.bf16;
  rows.head_width = c.head_width;
  const auto* const qkv = data.qkv.memory.data();
  rows.query = qkv;
  rows.key = qkv + c.width() * c.size();
  rows.value = qkv + 2 * c.width() * c.size();
  rows.query_stride = rows.stride = 3 * c.width();
  rows.bias_key = c.biased ? data.key.memory.data() : nullptr;
  rows.bias_value = c.biased ? data.value.memory.data() : nullptr;
  rows.out = out.memory.data();
  rows.out_stride = c.width();
  each_sequence(c, [&](std::int64_t row, std::int64_t length, std::int64_t first) {
    const std::size_t bytes = attention_scratch(length, c.head_width);
    const std::unique_ptr<void, decltype(&std::free)> scratch(std::aligned_alloc(64, bytes), &std::free);
    std::memset(scratch.get(), 0xFF, bytes);  // NaN: what is read before it is written is seen
    for (std::int64_t head = 0; head < c.heads; ++head) {
      const std::int64_t middle = shares == nullptr ? length : shares->range(first, length);
      for (const auto& [begin, end] : {std::pair(first, middle), std::pair(middle, length)}) {
        if (begin < end) {
          attend_by(kernel, rows, {head, length, row, row, begin, end, c.causal}, scratch.get());
        }
      }
    }
  });
}

double exact(const Case& c, const Data& data, std::int64_t row, std::int64_t length, std::int64_t query,
             std::int64_t column, double& largest_value) {
  const std::int64_t head = column / c.head_width * c.head_width;
  const std::int64_t seen = c.causal ? query + 1 : length;
  double total = 0, sum = 0, top = -1e300;
  std::vector<double> scores, values;
  for (std::int64_t key = c.biased ? -1 : 0; key < seen; ++key) {
    double score = 0;
    for (std::int64_t i = head; i < head + c.head_width; ++i) {
      const double k = key < 0 ? data.key.at(i) : data.qkv.at((row + key) * 3 * c.width() + c.width() + i);
      score += data.qkv.at((row + query) * 3 * c.width() + i) * k;
    }
    scores.push_back(score);
    top = std::fmax(top, score);
    values.push_back(key < 0 ? data.value.at(column)
                             : data.qkv.at((row + key) * 3 * c.width() + 2 * c.width() + column));
    largest_value = std::fmax(largest_value, std::fabs(values.back()));
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    total += std::exp(scores[i] - top);
    sum += std::exp(scores[i] - top) * values[i];
  }
  return sum / total;
}

void check(const Case& c, const Data& data, const Numbers16& out, stress::Bytes& bytes) {
  each_sequence(c, [&](std::int64_t row, std::int64_t length, std::int64_t first) {
    for (int i = 0; i < 12; ++i) {
      const std::int64_t query = bytes.range(first, length - 1);
      const std::int64_t column = bytes.range(0, c.width() - 1);
      double largest = 0;
      const double want = exact(c, data, row, length, query, column, largest);
      CHECK_NEAR(out.at((row + query) * c.width() + column), want, (c.bf16 ? 8e-3 : 4e-6) * largest);
    }
  });
}

// What a kernel gives, which is checked, and of which queries computed apart change nothing.
std::unique_ptr<Numbers16> tried(const AttentionKernel& kernel, const Case& c, const Data& data,
                                 stress::Bytes& bytes) {
  auto out = std::make_unique<Numbers16>(c, c.rows() * c.width());
  run(kernel, c, data, *out, nullptr);
  check(c, data, *out, bytes);
  Numbers16 again(c, c.rows() * c.width());
  run(kernel, c, data, again, &bytes);
  CHECK(again.same(*out));
  return out;
}

void on_tiles(const FewRows& work) noexcept { tiles::FewRowsProduct<testing::EmulatedTiles>(work).run(); }

bool always() noexcept { return true; }

constexpr AttentionKernel kTiles{"tiles", Units::kPairs, &on_tiles, kTileAttention, &always};
constexpr std::int64_t kMostRows = 300;  // that tiles are emulated for

}  // namespace

void bindrt::stress::one_case(Bytes& bytes) {
  const Case c = a_case(bytes);
  const Data data(c, bytes);
  std::unique_ptr<Numbers16> before;
  limit_attention_kernel("vectors");
  for (const kernels::CpuLevel level : testing::levels()) {
    kernels::limit_cpu_level(level);
    auto out = tried(attention_kernel(c.bf16), c, data, bytes);
    CHECK(before == nullptr || before->same(*out));
    before = std::move(out);
  }
  kernels::limit_cpu_level(kernels::CpuLevel::kAvx512);
  limit_attention_kernel("");
  if (!c.bf16) {
    return;
  }
  for (const AttentionKernel& kernel : attention_kernels()) {
    if (kernel.available()) {
      tried(kernel, c, data, bytes);
    }
  }
  if (c.rows() <= kMostRows) {
    tried(kTiles, c, data, bytes);
  }
}
