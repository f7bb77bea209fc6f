// The inner loops of the video op, for each instruction set.
#pragma once

#include <cstdint>

namespace bindrt::kernels {

// Where a line of the resized frame takes its packed pixels, entry by entry.
struct LineTaps {
  const std::int32_t* low;
  const std::int32_t* high;
  const float* weight;
  std::int32_t count;
};

// Blends packed pixels to floats 0..255; `out` holds three lines of `stride`: red, green, blue.
void blend_pixels(const std::uint32_t* packed, const LineTaps& taps, float* out,
                  std::int32_t stride) noexcept;

// Blends two such lines and normalises.
void blend_lines(const float* low, const float* high, float weight, std::int32_t count, float* out,
                 std::int32_t stride) noexcept;

}  // namespace bindrt::kernels
