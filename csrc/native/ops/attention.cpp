// Attention by blocks of queries: scores, exponentials and mixed values stay in the first cache.
#include "csrc/native/ops/attention.h"

#include <algorithm>

#include "csrc/native/ops/attention_kernel.h"
#include "csrc/native/ops/columns.h"
#include "csrc/native/ops/few_rows.h"
#include "csrc/native/ops/softmax.h"

namespace bindrt::native {
namespace {

constexpr std::int64_t kPartKeys = 512;  // whose scores are held at once
constexpr std::int64_t kAhead = 32;      // rows that are fetched before they are packed
constexpr std::int64_t kUnit = 4;        // bytes: a float, or two bfloat16

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }
// Whole vectors of 64 bytes, an odd number: rows so far apart fall into different sets of a cache.
constexpr std::int64_t spread(std::int64_t units) { return round_up(units, 16) | 16; }
// The same of two vectors.
constexpr std::int64_t spread_twos(std::int64_t units) { return round_up(units, 32) | 32; }

struct Scratch {
  std::uint32_t* keys;     // [depth][keys_stride] units
  std::uint32_t* values;   // [terms][columns] units
  std::uint32_t* queries;  // [blocks.most][depth] units
  float* scores;           // [blocks.most][score_stride]
  float* mixed;            // [blocks.most][columns]
};

struct Shape {
  std::int64_t head_width;
  std::int64_t keys;  // with the bias
  Units units;
  AttentionBlocks blocks;

  // The depths of the products of queries with keys, and of exponentials with values.
  std::int64_t depth() const { return depth_of(units_of(units, head_width)); }
  std::int64_t terms() const { return depth_of(units_of(units, keys)); }
  std::int64_t depth_of(std::int64_t count) const { return round_up(count, blocks.depth); }
  std::int64_t keys_stride() const { return spread(keys); }
  std::int64_t columns() const { return round_up(head_width, 16); }
  std::int64_t score_stride() const { return spread_twos(std::min(keys, kPartKeys)); }
  std::int64_t bytes() const {
    return kUnit * (depth() * keys_stride() + terms() * columns() + blocks.most * round_up(depth(), 16) +
                    blocks.most * (score_stride() + columns()));
  }
  Scratch in(void* memory) const {
    auto* const keys_at = static_cast<std::uint32_t*>(memory);
    auto* const values_at = keys_at + depth() * keys_stride();
    auto* const queries_at = values_at + terms() * columns();
    auto* const scores_at = reinterpret_cast<float*>(queries_at + blocks.most * round_up(depth(), 16));
    return {keys_at, values_at, queries_at, scores_at, scores_at + blocks.most * score_stride()};
  }
};

class Work {
 public:
  Work(const AttentionKernel& kernel, const AttentionRows& rows, const AttentionPart& part, void* scratch)
      : rows_(rows),
        part_(part),
        units_(kernel.units),
        product_(kernel.product),
        bias_(rows.bias_key != nullptr ? 1 : 0),
        shape_{rows.head_width, (part.causal ? part.last : part.keys) + bias_, units_, kernel.blocks},
        scratch_(shape_.in(scratch)) {}

  void run() {
    pack_keys();
    pack_values();
    for (std::int64_t first = part_.first; first < part_.last;) {
      const std::int64_t count = block_of(part_.last - first);
      fetch_queries(first + count);
      block(first, count);
      first += count;
    }
  }

 private:
  const void* at(const void* base, std::int64_t row, std::int64_t stride) const {
    const std::int64_t number = row * stride + part_.head * rows_.head_width;
    return static_cast<const char*>(base) + number * (rows_.bf16 ? 2 : 4);
  }
  // The bias is key 0: what a query sees is then always the first keys.
  const void* row_of(const void* base, const void* bias, std::int64_t key) const {
    return key < bias_ ? at(bias, 0, 0) : at(base, part_.key_row + key - bias_, rows_.stride);
  }

  std::int64_t block_of(std::int64_t left) const {
    return left <= shape_.blocks.most ? left : shape_.blocks.queries;
  }

  // Rows lie too far apart for the processor to see what is read next.
  void fetch_row(const void* row) const {
    for (std::int64_t byte = 0; byte < rows_.head_width * (rows_.bf16 ? 2 : 4); byte += 64) {
      __builtin_prefetch(static_cast<const char*>(row) + byte);
    }
  }
  void fetch_key(const void* base, std::int64_t key) const {
    if (key >= bias_ && key < shape_.keys) {
      fetch_row(at(base, part_.key_row + key - bias_, rows_.stride));
    }
  }

  void pack_keys() {
    const void* from[kTogether];
    for (std::int64_t key = 0; key < kAhead; ++key) {
      fetch_key(rows_.key, key);
    }
    for (std::int64_t key = 0; key < shape_.keys; key += kTogether) {
      const std::int64_t count = std::min(kTogether, shape_.keys - key);
      for (std::int64_t i = 0; i < count; ++i) {
        from[i] = row_of(rows_.key, rows_.bias_key, key + i);
        fetch_key(rows_.key, key + i + kAhead);
      }
      turn_rows(units_, from, count, rows_.head_width, scratch_.keys + key, shape_.keys_stride());
    }
    const std::int64_t depth = units_of(units_, rows_.head_width);
    std::fill(scratch_.keys + depth * shape_.keys_stride(),
              scratch_.keys + shape_.depth() * shape_.keys_stride(), 0U);
  }

  void pack_values() {
    const std::int64_t columns = shape_.columns();
    const std::int64_t step = units_ == Units::kPairs ? 2 : 1;
    for (std::int64_t key = 0; key < kAhead; ++key) {
      fetch_key(rows_.value, key);
    }
    for (std::int64_t key = 0; key < shape_.keys; key += step) {
      std::uint32_t* const to = scratch_.values + key / step * columns;
      const void* const row = row_of(rows_.value, rows_.bias_value, key);
      for (std::int64_t i = 0; i < step; ++i) {
        fetch_key(rows_.value, key + kAhead + i);
      }
      if (step == 1) {
        copy_row(units_, row, rows_.head_width, to);
      } else {
        const bool more = key + 1 < shape_.keys;
        pair_rows(row, more ? row_of(rows_.value, rows_.bias_value, key + 1) : nullptr, rows_.head_width, to);
      }
      std::fill(to + rows_.head_width, to + columns, 0U);
    }
    std::fill(scratch_.values + units_of(units_, shape_.keys) * columns,
              scratch_.values + shape_.terms() * columns, 0U);
  }

  // Those of the block that begins there.
  void fetch_queries(std::int64_t first) const {
    for (std::int64_t q = first; q < first + block_of(part_.last - first); ++q) {
      fetch_row(at(rows_.query, part_.query_row + q, rows_.query_stride));
    }
  }

  void pack_queries(std::int64_t first, std::int64_t count) {
    const std::int64_t units = units_of(units_, rows_.head_width);
    for (std::int64_t q = 0; q < count; ++q) {
      std::uint32_t* const to = scratch_.queries + q * shape_.depth();
      copy_row(units_, at(rows_.query, part_.query_row + first + q, rows_.query_stride), rows_.head_width,
               to);
      std::fill(to + units, to + shape_.depth(), 0U);
    }
  }

  // Queries [first, first + count) over all keys that they see, by parts.
  void block(std::int64_t first, std::int64_t count) {
    pack_queries(first, count);
    const std::int64_t seen = part_.causal ? first + count + bias_ : shape_.keys;
    float largest[kSoftmaxRows];
    float sums[kSoftmaxRows];
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
      mix.b = scratch_.values + units_of(units_, key) * shape_.columns();
      mix.b_stride = shape_.columns();
      mix.c = scratch_.mixed;
      mix.c_stride = shape_.columns();
      mix.rows = count;
      mix.depth = shape_.depth_of(units_of(units_, keys));
      mix.columns = shape_.columns();
      mix.add = key > 0;
      product_(mix);
    }
    for (std::int64_t q = 0; q < count; ++q) {
      const std::int64_t at_number =
          (part_.query_row + first + q) * rows_.out_stride + part_.head * rows_.head_width;
      softmax_result(scratch_.mixed + q * shape_.columns(), sums[q], rows_.head_width, rows_.bf16,
                     static_cast<char*>(rows_.out) + at_number * (rows_.bf16 ? 2 : 4));
    }
  }

  void exponentials(std::int64_t first, std::int64_t count, std::int64_t key, std::int64_t keys,
                    float* largest, float* sums) {
    std::int64_t valid[kSoftmaxRows];
    for (std::int64_t q = 0; q < count; ++q) {
      const std::int64_t seen = part_.causal ? first + q + 1 + bias_ : shape_.keys;
      valid[q] = std::clamp<std::int64_t>(seen - key, 0, keys);
    }
    SoftmaxPart part;
    part.scores = scratch_.scores;
    part.stride = shape_.score_stride();
    part.columns = round_up(keys, std::max<std::int64_t>(16, 2 * shape_.blocks.depth));
    part.rows = count;
    part.valid = valid;
    part.first = key == 0;
    part.as = units_ == Units::kPairs     ? Exponentials::kBf16
              : units_ == Units::kWidened ? Exponentials::kRounded
                                          : Exponentials::kFloats;
    part.largest = largest;
    part.sums = sums;
    part.mixed = scratch_.mixed;
    part.mixed_stride = shape_.columns();
    part.mixed_columns = shape_.columns();
    softmax_part(part);
  }

  const AttentionRows& rows_;
  const AttentionPart& part_;
  Units units_;
  FewRowsProduct product_;
  std::int64_t bias_;
  Shape shape_;
  Scratch scratch_;
};

}  // namespace

std::size_t attention_scratch(std::int64_t keys, std::int64_t head_width) noexcept {
  std::int64_t most = 0;
  for (const Units units : {Units::kFloats, Units::kPairs}) {
    most = std::max(most, Shape{head_width, keys + 1, units, kVectorAttention}.bytes());
  }
  most = std::max(most, Shape{head_width, keys + 1, Units::kPairs, kTileAttention}.bytes());
  return static_cast<std::size_t>(round_up(most, 64));
}

void attend_by(const AttentionKernel& kernel, const AttentionRows& rows, const AttentionPart& part,
               void* scratch) noexcept {
  Work(kernel, rows, part, scratch).run();
}

void attend(const AttentionRows& rows, const AttentionPart& part, void* scratch) noexcept {
  attend_by(attention_kernel(rows.bf16), rows, part, scratch);
}

}  // namespace bindrt::native
