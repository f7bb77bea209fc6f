// softmax(q · kᵀ) · v of each head of each sequence, for sequences of any length that lie one behind the
// other.
//
// With bfloat16 inputs the scores are products of these with float32 sums, the exponentials are rounded to
// bfloat16 for the product with the values, and the sums are float32. With float32 inputs all is float32.
// A query's result depends on its own sequence alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bindrt::native {

// Head h of a row has the numbers [h · head_width, (h + 1) · head_width). Queries are scaled already.
struct AttentionRows {
  bool bf16 = false;  // the type of all of these
  std::int64_t head_width = 0;
  const void* query = nullptr;
  std::int64_t query_stride = 0;  // numbers from row to row
  const void* key = nullptr;
  const void* value = nullptr;
  std::int64_t stride = 0;  // of keys and values
  // A row of keys and of values that joins every sequence; null for none.
  const void* bias_key = nullptr;
  const void* bias_value = nullptr;
  void* out = nullptr;  // row for row as the queries
  std::int64_t out_stride = 0;
};

// Queries [first, last) of one sequence, in one head.
struct AttentionPart {
  std::int64_t head = 0;
  std::int64_t keys = 0;       // of the sequence, at least one
  std::int64_t key_row = 0;    // where they begin
  std::int64_t query_row = 0;  // where the sequence's queries begin
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool causal = false;  // query i sees keys 0 … i, and the bias
};

struct AttentionKernel;

// Memory that attend() needs for sequences of at most so many keys, by any kernel; aligned to 64 bytes.
std::size_t attention_scratch(std::int64_t keys, std::int64_t head_width) noexcept;
void attend(const AttentionRows& rows, const AttentionPart& part, void* scratch) noexcept;
// By a kernel for such numbers (attention_kernel.h).
void attend_by(const AttentionKernel& kernel, const AttentionRows& rows, const AttentionPart& part,
               void* scratch) noexcept;

}  // namespace bindrt::native
