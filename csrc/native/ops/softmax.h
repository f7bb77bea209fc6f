// Softmax of rows that come in parts: each part's exponentials, with the largest score and the sum so far.
#pragma once

#include <cstdint>

namespace bindrt::native {

// What becomes of a row's exponentials, in the place of its scores.
enum class Exponentials {
  kFloats,   // float32
  kRounded,  // float32 that are rounded to bfloat16: the nearest, halves up
  kBf16,     // bfloat16 so rounded, at the row's beginning
};

inline constexpr std::int64_t kSoftmaxRows = 48;

struct SoftmaxPart {
  float* scores = nullptr;  // [rows][stride]; numbers behind the valid ones become 0, up to `columns`
  std::int64_t stride = 0;  // a multiple of 32
  std::int64_t columns = 0;
  std::int64_t rows = 0;                // at most kSoftmaxRows
  const std::int64_t* valid = nullptr;  // a row's numbers, 0 … columns; in the first part at least 1
  bool first = true;
  Exponentials as = Exponentials::kFloats;
  // A number a row: the largest score, and the sum of the exponentials (as they are written) relative to it.
  float* largest = nullptr;
  float* sums = nullptr;
  // [rows][mixed_stride]: what was summed with the exponentials of earlier parts, brought to the new largest.
  float* mixed = nullptr;
  std::int64_t mixed_stride = 0;
  std::int64_t mixed_columns = 0;  // a multiple of 16
};

void softmax_part(const SoftmaxPart& part) noexcept;

// The first `width` numbers of a row of `mixed`, divided by the sum of its exponentials, to float32 or
// bfloat16. Reads whole vectors of 16.
void softmax_result(const float* mixed, float sum, std::int64_t width, bool bf16, void* to) noexcept;

}  // namespace bindrt::native
