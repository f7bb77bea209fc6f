// Maps of any type, size and layout, for the stress programs of depth and thermal.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/map/map.h"
#include "tests/cpp/stress.h"
#include "tests/kernels/map/map_case.h"

namespace bindrt::stress {

// A map whose last number is the end of its memory, with rows from top to bottom or the other way.
template <class Number>
class MapMemory {
 public:
  // `faults`: some numbers are NaN, infinite, or the least and the greatest of their type.
  MapMemory(Bytes& bytes, bool faults)
      : width_(static_cast<std::int32_t>(bytes.small(1, bytes.chance(30) ? 3000 : 300))),
        height_(static_cast<std::int32_t>(bytes.small(1, bytes.chance(30) ? 3000 : 300))),
        stride_(width_ + (bytes.chance(2) ? 0 : bytes.small(0, 70))),
        memory_((height_ - 1) * stride_ + width_, shift_of<Number>(bytes)),
        upside_down_(bytes.chance(3)) {
    std::mt19937 random = bytes.random();
    const double most = std::is_integral_v<Number>
                            ? std::min(10000.0, static_cast<double>(std::numeric_limits<Number>::max()))
                            : 12.0;
    std::uniform_real_distribution<double> numbers(std::is_signed_v<Number> ? -0.05 * most : 0.0, most);
    for (Number& number : memory_) {
      number = static_cast<Number>(numbers(random));
    }
    if (faults) {
      using Limits = std::numeric_limits<Number>;
      const Number odd[] = {Limits::max(), Limits::lowest(), Limits::quiet_NaN(), Limits::infinity(),
                            Limits::min()};
      for (std::int64_t left = bytes.small(0, 9); left > 0; --left) {
        memory_[bytes.range(0, memory_.size() - 1)] = bytes.one_of(odd);
      }
    }
  }

  kernels::Map map() const {
    return {memory_.data() + first(), testing::map_type<Number>(), width_, height_,
            step() * static_cast<std::int64_t>(sizeof(Number))};
  }
  Number at(std::int32_t x, std::int32_t y) const { return memory_[first() + y * step() + x]; }
  std::int32_t width() const { return width_; }
  std::int32_t height() const { return height_; }

 private:
  std::int64_t first() const { return upside_down_ ? (height_ - 1) * stride_ : 0; }
  std::int64_t step() const { return upside_down_ ? -stride_ : stride_; }

  std::int32_t width_;
  std::int32_t height_;
  std::int64_t stride_;
  Exact<Number> memory_;
  bool upside_down_;
};

// Whether all numbers are that; false for NaN.
inline bool all_within(const Out& out, float low, float high) {
  for (std::int64_t i = 0; i < out.count; ++i) {
    if (!(out.number(i) >= low && out.number(i) <= high)) {
      return false;
    }
  }
  return true;
}

// Calls `use` with a zero of one of the types that maps have.
template <class Use>
void with_map_type(Bytes& bytes, const Use& use) {
  switch (bytes.number(0, 9)) {
    case 0:
      return use(std::uint8_t{0});
    case 1:
      return use(std::int8_t{0});
    case 2:
      return use(std::uint16_t{0});
    case 3:
      return use(std::int16_t{0});
    case 4:
      return use(std::uint32_t{0});
    case 5:
      return use(std::int32_t{0});
    case 6:
      return use(std::uint64_t{0});
    case 7:
      return use(std::int64_t{0});
    case 8:
      return use(0.0F);
    default:
      return use(0.0);
  }
}

}  // namespace bindrt::stress
