// Cells of a histogram, their limits, and percentiles over them.

#include "csrc/pipeline/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bindrt::pipeline {

// Numbers below 2 * 32 have a cell each; above, a cell holds 2^shift numbers of the same leading six bits.
std::size_t Histogram::cell_of(std::uint64_t value) noexcept {
  const int shift = std::max(static_cast<int>(std::bit_width(value)) - (kStepBits + 1), 0);
  return (static_cast<std::size_t>(shift) << kStepBits) + static_cast<std::size_t>(value >> shift);
}

std::int64_t Histogram::top_of(std::size_t cell) noexcept {
  constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  if (cell < 2 * kSteps) {
    return static_cast<std::int64_t>(cell);
  }
  const std::size_t shift = cell / kSteps - 1;
  const std::size_t leading = cell % kSteps + kSteps;
  return static_cast<std::int64_t>(((leading + 1) << shift) - 1);
}

void Histogram::record(std::int64_t nanoseconds) noexcept {
  constexpr std::int64_t kMost = (std::int64_t{1} << kValueBits) - 1;
  const std::int64_t value = std::clamp<std::int64_t>(nanoseconds, 0, kMost);
  cells_[cell_of(static_cast<std::uint64_t>(value))].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
  std::int64_t largest = largest_.load(std::memory_order_relaxed);
  while (value > largest && !largest_.compare_exchange_weak(largest, value, std::memory_order_relaxed)) {
  }
}

std::int64_t Histogram::count() const noexcept {
  std::uint64_t total = 0;
  for (const std::atomic<std::uint64_t>& cell : cells_) {
    total += cell.load(std::memory_order_relaxed);
  }
  return static_cast<std::int64_t>(total);
}

std::vector<std::uint64_t> Histogram::below_powers(int least, int most) const {
  std::vector<std::uint64_t> counts;
  std::uint64_t below = 0;
  std::size_t cell = 0;
  for (int bits = least; bits <= most; ++bits) {
    for (const std::size_t end = cell_of(std::uint64_t{1} << bits); cell < end && cell < kCells; ++cell) {
      below += cells_[cell].load(std::memory_order_relaxed);
    }
    counts.push_back(below);
  }
  for (; cell < kCells; ++cell) {
    below += cells_[cell].load(std::memory_order_relaxed);
  }
  counts.push_back(below);
  return counts;
}

std::int64_t Histogram::percentile(double fraction) const noexcept {
  const std::int64_t total = count();
  if (total == 0) {
    return 0;
  }
  const double rank = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(total));
  auto left = std::max(static_cast<std::int64_t>(rank), std::int64_t{1});
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    left -= static_cast<std::int64_t>(cells_[cell].load(std::memory_order_relaxed));
    if (left <= 0) {
      return std::min(top_of(cell), largest());
    }
  }
  return largest();
}

}  // namespace bindrt::pipeline
