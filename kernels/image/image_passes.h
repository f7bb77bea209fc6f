// The inner loops of the image op, for each instruction set. Sixteen rows are resized at once, so that a
// vector holds one column: no sums across a vector, and few lanes idle.
#pragma once

#include <cstdint>

#include "kernels/resize/antialias.h"

namespace bindrt::kernels::image {

inline constexpr std::int32_t kRows = 16;                // rows of a block
inline constexpr std::int32_t kRowPairs = kRows / 2;     // their pairs
inline constexpr std::int32_t kLanes = 32;               // `lanes` is a multiple of this
inline constexpr std::int32_t kColumnBytes = 2 * kRows;  // bytes of one channel of a pair of columns
inline constexpr std::int32_t kStepBytes = 64;  // bytes of a row that one step of `pair_columns` reads
inline constexpr std::int32_t kGroupsInStep = 4;

// How a row's bytes become pairs of pixels. A group is what 16 bytes hold.
struct Grouping {
  std::int32_t channels;
  std::int32_t pixels;     // in a group, an even number
  std::int32_t bytes;      // from a group to the next
  std::uint8_t order[16];  // bytes of a group in the order of pair, channel, pixel of the pair; 128 for none

  std::int32_t units() const { return pixels / 2 * channels; }  // pairs of bytes in a group
  std::int32_t pixels_in_step() const { return kGroupsInStep * pixels; }
  std::int32_t bytes_in_step() const { return kGroupsInStep * bytes; }
  std::int32_t columns_bytes_in_step() const { return kGroupsInStep * units() * kColumnBytes; }
};

struct Passes {
  // Sixteen rows' pixels, `steps` times `pixels_in_step`, as columns: [pair, channel, row, 2]. Reads
  // `kStepBytes` from each row at every step.
  void (*pair_columns)(const std::uint8_t* const* rows, const Grouping& grouping, std::int32_t steps,
                       std::uint8_t* columns);

  // The horizontal pass: columns to [channel, pitch, row], of which [channel, taps.count, row] are written.
  void (*blend_columns)(const std::uint8_t* columns, const AxisTaps& taps, std::int32_t channels,
                        std::int32_t pitch, std::uint8_t* out);

  // [lanes, row] to [row pair][lanes, 2], each row pair at its own place.
  void (*turn)(const std::uint8_t* columns, std::int32_t lanes, std::uint8_t* const* row_pairs);

  // The vertical pass: one output row [lanes] from `count` row pairs, with weights [count, 4].
  void (*blend_rows)(const std::uint8_t* const* row_pairs, const std::int16_t* weights, std::int32_t count,
                     std::int32_t lanes, std::uint8_t* out);
};

extern const Passes kBaselinePasses;
#if defined(__x86_64__)
extern const Passes kAvx2Passes;
extern const Passes kAvx512Passes;
#endif

}  // namespace bindrt::kernels::image
