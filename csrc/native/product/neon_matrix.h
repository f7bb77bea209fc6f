// A block by NEON's instructions for small matrices: two rows of two groups of inputs by those of two
// columns. A file defines BINDRT_LEVEL before it includes this.
#pragma once

#if defined(__aarch64__)
#include <cstring>

#include "csrc/native/product/neon.h"

namespace bindrt::native {
namespace {

constexpr std::int64_t kStrip = 16;                          // columns whose sums are in registers
constexpr std::int64_t kGroupBytes = 4;                      // of one column
constexpr std::int64_t kGroupsBytes = kGroupBytes * kPanel;  // of all columns

// Four columns' sums of two rows are two registers, each with two columns of both rows.
template <class Sum>
BINDRT_LEVEL_INLINE Sum first_halves(Sum a, Sum b) {
  return reinterpret_cast<Sum>(vzip1q_u64(reinterpret_cast<uint64x2_t>(a), reinterpret_cast<uint64x2_t>(b)));
}
template <class Sum>
BINDRT_LEVEL_INLINE Sum second_halves(Sum a, Sum b) {
  return reinterpret_cast<Sum>(vzip2q_u64(reinterpret_cast<uint64x2_t>(a), reinterpret_cast<uint64x2_t>(b)));
}

// kGroups groups, one or two, of two rows; zeros where there is no second group.
template <int kGroups>
BINDRT_LEVEL_INLINE uint32x4_t load_rows(const std::uint8_t* first, const std::uint8_t* second) {
  std::uint64_t row[2] = {};
  std::memcpy(&row[0], first, kGroups * kGroupBytes);
  std::memcpy(&row[1], second, kGroups * kGroupBytes);
  return vreinterpretq_u32_u64(vcombine_u64(vcreate_u64(row[0]), vcreate_u64(row[1])));
}

template <class Op, int kRows>
using StripSums = typename Op::Sum[(kRows + 1) / 2][2 * Op::kVectors];

// From sums as the block leaves them; `from` is the strip's first.
template <class Op, int kRows>
BINDRT_LEVEL_INLINE void load_strip(const typename Op::Number* from, StripSums<Op, kRows>& sum) {
#pragma GCC unroll 3
  for (int p = 0; p < (kRows + 1) / 2; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < Op::kVectors; ++v) {
      const auto upper = Op::load(from + 2 * p * kPanel + v * 4);
      const auto lower = Op::load(from + std::min(2 * p + 1, kRows - 1) * kPanel + v * 4);
      sum[p][2 * v] = first_halves(upper, lower);
      sum[p][2 * v + 1] = second_halves(upper, lower);
    }
  }
}

template <class Op, int kRows>
BINDRT_LEVEL_INLINE void store_strip(const StripSums<Op, kRows>& sum, typename Op::Number* to) {
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Op::kVectors; ++v) {
      const auto left = sum[r / 2][2 * v];
      const auto right = sum[r / 2][2 * v + 1];
      Op::store(to + r * kPanel + v * 4, r % 2 == 0 ? first_halves(left, right) : second_halves(left, right));
    }
  }
}

// Adds the products of kGroups groups, one or two, whose weights begin at `weights`.
template <class Op, int kRows, int kGroups>
BINDRT_LEVEL_INLINE void add_groups(const std::uint8_t* const* rows, std::int64_t at,
                                    const std::uint8_t* weights, StripSums<Op, kRows>& sum) {
  constexpr int kPairs = (kRows + 1) / 2;
  uint32x4_t row[kPairs];
#pragma GCC unroll 3
  for (int p = 0; p < kPairs; ++p) {
    row[p] = load_rows<kGroups>(rows[2 * p] + at, rows[2 * p + 1] + at);
  }
#pragma GCC unroll 4
  for (int v = 0; v < Op::kVectors; ++v) {
    const uint32x4_t first = four_lanes(weights + v * 16);
    const uint32x4_t second = kGroups == 2 ? four_lanes(weights + kGroupsBytes + v * 16) : vdupq_n_u32(0);
    const uint32x4_t left = vzip1q_u32(first, second);
    const uint32x4_t right = vzip2q_u32(first, second);
#pragma GCC unroll 3
    for (int p = 0; p < kPairs; ++p) {
      Op::add(sum[p][2 * v], row[p], left);
      Op::add(sum[p][2 * v + 1], row[p], right);
    }
    keep_order();
  }
}

// Op::add(sum, rows, columns): sum {row 0 column 0, row 0 column 1, row 1 column 0, row 1 column 1}.
template <class Op, int kRows>
BINDRT_LEVEL void block_by_matrix(const BlockInput& input, bool resume, void* sums) {
  constexpr int kRowsUsed = (kRows + 1) / 2 * 2;
  const std::uint8_t* rows[kRowsUsed];
  for (int r = 0; r < kRowsUsed; ++r) {  // an odd row is its own neighbour
    rows[r] = input.rows + std::min(r, kRows - 1) * input.stride;
  }
  const std::int64_t even = input.groups / 2 * 2;
  Fetch fetch(input, kPanel / kStrip * ((even + kSpan - 1) / kSpan));
  for (std::int64_t column = 0; column < kPanel; column += kStrip) {
    auto* const to = static_cast<typename Op::Number*>(sums) + column;
    const std::uint8_t* const weights = input.weights + column * kGroupBytes;
    StripSums<Op, kRows> sum = {};
    if (resume) {
      load_strip<Op, kRows>(to, sum);
    }
    for (std::int64_t begin = 0; begin < even; begin += kSpan) {
      fetch.some();
      for (std::int64_t g = begin; g < std::min(begin + kSpan, even); g += 2) {
        add_groups<Op, kRows, 2>(rows, g * kGroupBytes, weights + g * kGroupsBytes, sum);
      }
    }
    if (even < input.groups) {
      add_groups<Op, kRows, 1>(rows, even * kGroupBytes, weights + even * kGroupsBytes, sum);
    }
    store_strip<Op, kRows>(sum, to);
  }
}

template <class Op>
constexpr Block kMatrixBlocks[] = {&block_by_matrix<Op, 1>, &block_by_matrix<Op, 2>, &block_by_matrix<Op, 3>,
                                   &block_by_matrix<Op, 4>, &block_by_matrix<Op, 5>, &block_by_matrix<Op, 6>};

// The run of a ProductKernel.
template <class Op>
void run_by_matrix(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows,
                   std::int64_t first, std::int64_t last, const Target& target) noexcept {
  static constexpr BlockKernel kKernel{Op::kNumbers, Op::kMostRows, kMatrixBlocks<Op>, &finish<Op>};
  run_blocks(kKernel, weight, rows_in, rows, first, last, target);
}

}  // namespace
}  // namespace bindrt::native
#endif
