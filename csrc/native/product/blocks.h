// The loops around a product's innermost one: rows in blocks, weights in pieces that a core's cache holds,
// the next piece fetched while one is computed with.
#pragma once

#include <cstdint>

#include "csrc/native/product/product.h"

namespace bindrt::native {

// What a block reads: `rows` begins its first row, the next is `stride` bytes further; `groups` groups of
// inputs, whose weights begin at `weights`.
struct BlockInput {
  const std::uint8_t* rows;
  std::int64_t stride;
  const std::uint8_t* weights;
  std::int64_t groups;
  // Memory that a later block reads, to be fetched by this one.
  const std::uint8_t* ahead;
  std::int64_t ahead_lines;  // of 64 bytes
};

// Adds products to sums [rows, kPanel] of float, or std::int32_t for int8; `resume`: to what is there, not to
// zeros.
using Block = void (*)(const BlockInput& input, bool resume, void* sums);

struct BlockKernel {
  Numbers numbers;
  std::int64_t most_rows;  // of a block
  const Block* blocks;     // of 1, 2, … rows
  // Ends rows [row, row + rows) of a panel, whose sums begin at `sums`.
  void (*finish)(const PackedWeight& weight, const Activations& rows_in, std::int64_t row, std::int64_t rows,
                 std::int64_t panel, const void* sums, const Target& target);
  // Other blocks, if there are any for such weights, else null.
  const Block* (*quicker)(const std::uint8_t* weights, std::int64_t bytes) = nullptr;
};

// What a ProductKernel's `run` does.
void run_blocks(const BlockKernel& kernel, const PackedWeight& weight, const Activations& rows_in,
                std::int64_t rows, std::int64_t first, std::int64_t last, const Target& target) noexcept;

}  // namespace bindrt::native
