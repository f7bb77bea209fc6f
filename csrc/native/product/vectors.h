// The innermost loop of a product on vectors, for any instruction set: a file defines BINDRT_LEVEL, the
// attribute that its functions are compiled with, includes this, and says by a class what is done with
// vectors:
//
//   struct Op {
//     static constexpr Numbers kNumbers;
//     static constexpr int kMostRows;  // of a block
//     static constexpr int kVectors;   // of a block's columns: kMostRows · kVectors sums are in registers
//     using Number;   // of a sum: float or std::int32_t
//     using Sum;      // a vector of it
//     using Weight;   // what is made of a group's weights in a vector's columns
//     using Row;      // what is made of a row's group
//     using Setting;  // of the processor, while an object of it exists
//     static Sum zero();
//     static Sum load(const Number*);
//     static void store(Number*, const Sum&);
//     static Weight weight(const std::uint8_t*);
//     static Row row(const std::uint8_t*);
//     static Sum add(Sum, const Row&, const Weight&);
//   };
//
// Everything is in the including file's unnamed namespace, since code is compiled for its instruction set.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "csrc/native/product/blocks.h"
#include "csrc/native/product/epilogue.h"

namespace bindrt::native {
namespace {

#define BINDRT_LEVEL_INLINE BINDRT_LEVEL [[gnu::always_inline]] inline

// Groups between two fetches.
constexpr std::int64_t kSpan = 8;

// Fetches what a later block reads, spread evenly over `steps` calls.
class Fetch {
 public:
  BINDRT_LEVEL_INLINE Fetch(const BlockInput& input, std::int64_t steps)
      : from_(input.ahead),
        end_(input.ahead + input.ahead_lines * kLine),
        step_((input.ahead_lines + steps - 1) / steps * kLine) {}

  BINDRT_LEVEL_INLINE void some() {
    for (const std::uint8_t* const end = std::min(from_ + step_, end_); from_ < end; from_ += kLine) {
      __builtin_prefetch(from_, 0, 2);
    }
  }

 private:
  static constexpr std::int64_t kLine = 64;
  const std::uint8_t* from_;
  const std::uint8_t* end_;
  std::int64_t step_;
};

// The kernel's Block of kRows rows: the panel's columns in strips whose sums fill the registers.
template <class Op, int kRows>
BINDRT_LEVEL void block(const BlockInput& input, bool resume, void* sums) {
  using Sum = typename Op::Sum;
  constexpr int kVectors = Op::kVectors;
  constexpr std::int64_t kLanes = sizeof(Sum) / 4;
  constexpr std::int64_t kColumns = kLanes * kVectors;
  constexpr std::int64_t kWidth = group_of(Op::kNumbers) * bytes_of(Op::kNumbers);  // of a group, in bytes
  const typename Op::Setting setting;
  const std::int64_t groups = input.groups;
  const std::int64_t stride = input.stride;
  Fetch fetch(input, kPanel / kColumns * ((groups + kSpan - 1) / kSpan));

  for (std::int64_t column = 0; column < kPanel; column += kColumns) {
    typename Op::Number* const to = static_cast<typename Op::Number*>(sums) + column;
    Sum sum[kRows][kVectors];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = resume ? Op::load(to + r * kPanel + v * kLanes) : Op::zero();
      }
    }
    for (std::int64_t begin = 0; begin < groups; begin += kSpan) {
      fetch.some();
      const std::int64_t end = std::min(begin + kSpan, groups);
      for (std::int64_t g = begin; g < end; ++g) {
        const std::uint8_t* const w = input.weights + (g * kPanel + column) * kWidth;
        const std::uint8_t* const a = input.rows + g * kWidth;
        typename Op::Weight weight[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          weight[v] = Op::weight(w + v * kLanes * kWidth);
        }
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
          const typename Op::Row row = Op::row(a + r * stride);
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) {
            sum[r][v] = Op::add(sum[r][v], row, weight[v]);
          }
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        Op::store(to + r * kPanel + v * kLanes, sum[r][v]);
      }
    }
  }
}

template <class Op>
BINDRT_LEVEL void finish(const PackedWeight& weight, const Activations& rows_in, std::int64_t row,
                         std::int64_t rows, std::int64_t panel, const void* sums, const Target& target) {
  for (std::int64_t r = 0; r < rows; ++r) {
    finish_row(weight, rows_in, row + r, panel, static_cast<const typename Op::Number*>(sums) + r * kPanel,
               target);
  }
}

template <class Op, std::size_t... kRows>
constexpr std::array<Block, sizeof...(kRows)> blocks_of(std::index_sequence<kRows...>) {
  return {&block<Op, static_cast<int>(kRows) + 1>...};
}

// The run of a ProductKernel.
template <class Op>
void run(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows, std::int64_t first,
         std::int64_t last, const Target& target) noexcept {
  static constexpr auto kBlocks = blocks_of<Op>(std::make_index_sequence<Op::kMostRows>());
  static constexpr BlockKernel kKernel{Op::kNumbers, Op::kMostRows, kBlocks.data(), &finish<Op>};
  run_blocks(kKernel, weight, rows_in, rows, first, last, target);
}

}  // namespace
}  // namespace bindrt::native
