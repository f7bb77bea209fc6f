// Attention by blocks of queries: scores, exponentials and mixed values stay in the first cache.
#include "csrc/native/ops/attention.h"

#include <algorithm>
#include <cstring>

#include "csrc/native/numbers.h"
#include "csrc/native/ops/few_rows.h"
#include "csrc/native/ops/softmax.h"

namespace bindrt::native {
namespace {

constexpr std::int64_t kQueries = kSoftmaxRows;  // of a block
constexpr std::int64_t kPartKeys = 512;          // whose scores are held at once
constexpr std::int64_t kUnit = 4;                // bytes: a float, or two bfloat16

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }
// Whole vectors of 64 bytes, an odd number: rows so far apart fall into different sets of a cache.
constexpr std::int64_t spread(std::int64_t units) { return round_up(units, 16) | 16; }

struct Scratch {
  std::uint32_t* keys;     // [depth][keys_stride] units
  std::uint32_t* values;   // [terms][columns] units
  std::uint32_t* queries;  // [kQueries][depth] units
  float* scores;           // [kQueries][score_stride]
  float* mixed;            // [kQueries][columns]
};

struct Shape {
  std::int64_t head_width;
  std::int64_t keys;  // with the bias
  bool pairs;

  std::int64_t units(std::int64_t numbers) const { return pairs ? (numbers + 1) / 2 : numbers; }
  std::int64_t depth() const { return units(head_width); }
  std::int64_t keys_stride() const { return spread(keys); }
  std::int64_t terms() const { return units(round_up(keys, 2)); }
  std::int64_t columns() const { return round_up(head_width, 16); }
  std::int64_t score_stride() const { return spread(std::min(keys, kPartKeys)); }
  std::int64_t bytes() const {
    return kUnit * (depth() * keys_stride() + terms() * columns() + kQueries * round_up(depth(), 16) +
                    kQueries * (score_stride() + columns()));
  }
  Scratch in(void* memory) const {
    auto* const keys_at = static_cast<std::uint32_t*>(memory);
    auto* const values_at = keys_at + depth() * keys_stride();
    auto* const queries_at = values_at + terms() * columns();
    auto* const scores_at = reinterpret_cast<float*>(queries_at + kQueries * round_up(depth(), 16));
    return {keys_at, values_at, queries_at, scores_at, scores_at + kQueries * score_stride()};
  }
};

// Numbers as they are in memory, read as what a unit has.
struct Reader {
  bool bf16;

  const void* at(const void* base, std::int64_t number) const {
    return static_cast<const char*>(base) + number * (bf16 ? 2 : 4);
  }
  float one(const void* row, std::int64_t i) const {
    return bf16 ? from_bf16(static_cast<const std::uint16_t*>(row)[i]) : static_cast<const float*>(row)[i];
  }
  // Numbers 2i and 2i + 1 of a row of `count` bfloat16.
  static std::uint32_t pair(const void* row, std::int64_t i, std::int64_t count) {
    const auto* numbers = static_cast<const std::uint16_t*>(row) + 2 * i;
    return numbers[0] | (2 * i + 1 < count ? static_cast<std::uint32_t>(numbers[1]) << 16 : 0U);
  }
  std::uint32_t unit(const void* row, std::int64_t i, std::int64_t count, bool pairs) const {
    return pairs ? pair(row, i, count) : kernels::float_bits(one(row, i));
  }
};

class Work {
 public:
  Work(const AttentionRows& rows, const AttentionPart& part, void* scratch)
      : rows_(rows),
        part_(part),
        pairs_product_(rows.bf16 ? few_rows_product_of_pairs() : nullptr),
        product_(pairs_product_ != nullptr ? pairs_product_ : few_rows_product()),
        reader_{rows.bf16},
        bias_(rows.bias_key != nullptr ? 1 : 0),
        shape_{rows.head_width, (part.causal ? part.last : part.keys) + bias_, pairs_product_ != nullptr},
        scratch_(shape_.in(scratch)) {}

  void run() {
    pack_keys();
    pack_values();
    for (std::int64_t first = part_.first; first < part_.last; first += kQueries) {
      block(first, std::min(kQueries, part_.last - first));
    }
  }

 private:
  // The bias is key 0: what a query sees is then always the first keys.
  const void* row_of(const void* base, const void* bias, std::int64_t key) const {
    const std::int64_t column = part_.head * rows_.head_width;
    if (key < bias_) {
      return reader_.at(bias, column);
    }
    return reader_.at(base, (part_.key_row + key - bias_) * rows_.stride + column);
  }

  void pack_keys() {
    const std::int64_t depth = shape_.depth();
    const std::int64_t stride = shape_.keys_stride();
    const void* from[16];
    for (std::int64_t key = 0; key < shape_.keys; key += 16) {
      const std::int64_t count = std::min<std::int64_t>(16, shape_.keys - key);
      for (std::int64_t i = 0; i < count; ++i) {
        from[i] = row_of(rows_.key, rows_.bias_key, key + i);
      }
      for (std::int64_t k = 0; k < depth; ++k) {
        std::uint32_t* const to = scratch_.keys + k * stride + key;
        for (std::int64_t i = 0; i < count; ++i) {
          to[i] = reader_.unit(from[i], k, rows_.head_width, shape_.pairs);
        }
        std::fill(to + count, to + 16, 0U);
      }
    }
  }

  void pack_values() {
    const std::int64_t columns = shape_.columns();
    const std::int64_t width = rows_.head_width;
    const std::int64_t each = shape_.pairs ? 2 : 1;
    for (std::int64_t term = 0; term < shape_.terms(); ++term) {
      std::uint32_t* const to = scratch_.values + term * columns;
      const std::int64_t key = term * each;
      std::fill(to + (key < shape_.keys ? width : 0), to + columns, 0U);
      if (key >= shape_.keys) {
        continue;
      }
      const void* const first = row_of(rows_.value, rows_.bias_value, key);
      if (!shape_.pairs) {
        for (std::int64_t i = 0; i < width; ++i) {
          to[i] = kernels::float_bits(reader_.one(first, i));
        }
        continue;
      }
      const auto* const low = static_cast<const std::uint16_t*>(first);
      const auto* const high = static_cast<const std::uint16_t*>(
          key + 1 < shape_.keys ? row_of(rows_.value, rows_.bias_value, key + 1) : nullptr);
      for (std::int64_t i = 0; i < width; ++i) {
        to[i] = low[i] | (high != nullptr ? static_cast<std::uint32_t>(high[i]) << 16 : 0U);
      }
    }
  }

  void pack_queries(std::int64_t first, std::int64_t count) {
    const std::int64_t depth = shape_.depth();
    const std::int64_t column = part_.head * rows_.head_width;
    for (std::int64_t q = 0; q < count; ++q) {
      const void* const row =
          reader_.at(rows_.query, (part_.query_row + first + q) * rows_.query_stride + column);
      for (std::int64_t k = 0; k < depth; ++k) {
        scratch_.queries[q * depth + k] = reader_.unit(row, k, rows_.head_width, shape_.pairs);
      }
    }
  }

  // Queries [first, first + count) over all keys that they see, by parts.
  void block(std::int64_t first, std::int64_t count) {
    pack_queries(first, count);
    const std::int64_t seen = part_.causal ? first + count + bias_ : shape_.keys;
    float largest[kQueries];
    float sums[kQueries];
    for (std::int64_t key = 0; key < seen; key += kPartKeys) {
      const std::int64_t keys = std::min(kPartKeys, seen - key);
      FewRows scores;
      scores.a = scratch_.queries;
      scores.a_stride = shape_.depth();
      scores.b = scratch_.keys + key;
      scores.b_stride = shape_.keys_stride();
      scores.c = scratch_.scores;
      scores.c_stride = shape_.score_stride();
      scores.rows = count;
      scores.depth = shape_.depth();
      scores.columns = round_up(keys, 16);
      product_(scores);
      exponentials(first, count, key, keys, largest, sums);
      FewRows mix;
      mix.a = scratch_.scores;
      mix.a_stride = shape_.score_stride();
      mix.b = scratch_.values + shape_.units(key) * shape_.columns();
      mix.b_stride = shape_.columns();
      mix.c = scratch_.mixed;
      mix.c_stride = shape_.columns();
      mix.rows = count;
      mix.depth = shape_.units(keys);
      mix.columns = shape_.columns();
      mix.add = key > 0;
      product_(mix);
    }
    for (std::int64_t q = 0; q < count; ++q) {
      write(first + q, scratch_.mixed + q * shape_.columns(), sums[q]);
    }
  }

  void exponentials(std::int64_t first, std::int64_t count, std::int64_t key, std::int64_t keys,
                    float* largest, float* sums) {
    std::int64_t valid[kQueries];
    for (std::int64_t q = 0; q < count; ++q) {
      const std::int64_t seen = part_.causal ? first + q + 1 + bias_ : shape_.keys;
      valid[q] = std::clamp<std::int64_t>(seen - key, 0, keys);
    }
    SoftmaxPart part;
    part.scores = scratch_.scores;
    part.stride = shape_.score_stride();
    part.columns = round_up(keys, 16);
    part.rows = count;
    part.valid = valid;
    part.first = key == 0;
    part.as = shape_.pairs   ? Exponentials::kBf16
              : reader_.bf16 ? Exponentials::kRounded
                             : Exponentials::kFloats;
    part.largest = largest;
    part.sums = sums;
    part.mixed = scratch_.mixed;
    part.mixed_stride = shape_.columns();
    part.mixed_columns = shape_.columns();
    softmax_part(part);
  }

  void write(std::int64_t query, const float* mixed, float sum) {
    const std::int64_t at = (part_.query_row + query) * rows_.out_stride + part_.head * rows_.head_width;
    if (!reader_.bf16) {
      for (std::int64_t i = 0; i < rows_.head_width; ++i) {
        static_cast<float*>(rows_.out)[at + i] = mixed[i] / sum;
      }
      return;
    }
    for (std::int64_t i = 0; i < rows_.head_width; ++i) {
      static_cast<std::uint16_t*>(rows_.out)[at + i] = to_bf16(mixed[i] / sum);
    }
  }

  const AttentionRows& rows_;
  const AttentionPart& part_;
  FewRowsProduct pairs_product_;
  FewRowsProduct product_;
  Reader reader_;
  std::int64_t bias_;
  Shape shape_;
  Scratch scratch_;
};

}  // namespace

std::size_t attention_scratch(std::int64_t keys, std::int64_t head_width) noexcept {
  const Shape floats{head_width, keys + 1, false};
  const Shape pairs{head_width, keys + 1, true};
  return static_cast<std::size_t>(round_up(std::max(floats.bytes(), pairs.bytes()), 64));
}

void attend(const AttentionRows& rows, const AttentionPart& part, void* scratch) noexcept {
  Work(rows, part, scratch).run();
}

}  // namespace bindrt::native
