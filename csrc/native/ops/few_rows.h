// Products of a few rows, for attention: c[r][n] = (c[r][n] +) Σ a[r][k] · b[k][n], k in order.
//
// A unit of a and b is a float, or a pair of bfloat16, whose two products are added as the processor does.
// With floats every level gives the same bits: each term is a fused multiply-add.
#pragma once

#include <cstdint>

namespace bindrt::native {

struct FewRows {
  const void* a = nullptr;    // [rows][depth] units of 4 bytes
  std::int64_t a_stride = 0;  // units from row to row
  const void* b = nullptr;    // [depth][columns] units
  std::int64_t b_stride = 0;
  float* c = nullptr;  // [rows][columns]
  std::int64_t c_stride = 0;
  std::int64_t rows = 0;
  std::int64_t depth = 0;
  std::int64_t columns = 0;  // a multiple of 16
  bool add = false;          // to what is in c
};

using FewRowsProduct = void (*)(const FewRows& work) noexcept;

// The product of the level in use.
FewRowsProduct few_rows_product() noexcept;

// The levels.
void few_rows_baseline(const FewRows& work) noexcept;
void few_rows_avx2(const FewRows& work) noexcept;
void few_rows_avx512(const FewRows& work) noexcept;
void few_rows_avx512_bf16(const FewRows& work) noexcept;

}  // namespace bindrt::native
