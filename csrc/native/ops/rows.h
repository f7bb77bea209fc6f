// Rows of numbers as a product reads them, made from float32 or bfloat16, or by a norm.
//
// A row's numbers depend on that row alone, and have the same bits at every level.
#pragma once

#include <cstdint>

#include "csrc/native/numbers.h"

namespace bindrt::native {

// Where rows go. Numbers behind a row's width are zero up to `padded`.
struct RowsOut {
  Numbers numbers = Numbers::kFloat32;
  void* data = nullptr;
  std::int64_t stride = 0;  // bytes from row to row
  std::int64_t padded = 0;  // numbers of a row
  // int8: a row's factor goes here: its largest magnitude / 127, or `fixed` where that is not 0.
  // number = round(x / factor) + 128, halves to even, at least 0 and at most 255.
  float* steps = nullptr;
  float fixed = 0.0F;
};

// Rows as they are in memory.
struct RowsIn {
  const void* data = nullptr;
  std::int64_t stride = 0;  // numbers from row to row
  bool bf16 = false;
};

// y = (x − mean) / √(variance + eps) · weight + bias; no bias if null.
struct Norm {
  const float* weight = nullptr;
  const float* bias = nullptr;
  float eps = 0.0F;
};

// Rows [first, last) of `from`, of `width` numbers, to the same rows of `to`.
void convert_rows(const RowsIn& from, std::int64_t first, std::int64_t last, std::int64_t width,
                  const RowsOut& to) noexcept;
// The same of their norm; `from` is float32. Mean and variance are sums of 64 lanes, then a tree.
void norm_rows(const RowsIn& from, std::int64_t first, std::int64_t last, std::int64_t width,
               const Norm& norm, const RowsOut& to) noexcept;
// The same in place, for float32.
void norm_in_place(float* row, std::int64_t width, const Norm& norm) noexcept;

}  // namespace bindrt::native
