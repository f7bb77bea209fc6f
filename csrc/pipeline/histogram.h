// Durations by size, recorded without a lock: logarithmic ranges of 32 linear steps (as HdrHistogram has
// them), so that a percentile is at most 1/32 too large whatever its size.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bindrt::pipeline {

class Histogram {
 public:
  // Any thread may record at any time.
  void record(std::int64_t nanoseconds) noexcept;

  std::int64_t count() const noexcept;
  // The time that a `fraction` (0..1) of what was recorded did not exceed, in nanoseconds; 0 if nothing was.
  std::int64_t percentile(double fraction) const noexcept;
  // How many of what was recorded are below 2^bits nanoseconds, for bits from `least` to `most`; then all.
  std::vector<std::uint64_t> below_powers(int least, int most) const;
  std::int64_t largest() const noexcept { return largest_.load(std::memory_order_relaxed); }
  std::int64_t sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kStepBits = 5;
  static constexpr int kValueBits = 42;  // over an hour; longer ones count as that
  static constexpr std::size_t kCells = static_cast<std::size_t>(kValueBits - kStepBits + 1) << kStepBits;

  static std::size_t cell_of(std::uint64_t value) noexcept;
  static std::int64_t top_of(std::size_t cell) noexcept;

  std::array<std::atomic<std::uint64_t>, kCells> cells_{};
  std::atomic<std::int64_t> largest_{0};
  std::atomic<std::int64_t> sum_{0};
};

}  // namespace bindrt::pipeline
