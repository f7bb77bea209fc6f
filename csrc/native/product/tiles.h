// Matrix tiles as the instruction set AMX has them: the configuration that says how large each tile is.
//
// The product in tile_product.h is written over a class with the instructions as static functions. amx.cpp
// has the processor's, tests have an emulation, so that the product is tested on machines without AMX.
#pragma once

#include <cstdint>

namespace bindrt::native::tiles {

inline constexpr int kTiles = 8;
inline constexpr std::int64_t kRows = 16;      // of a tile, at most
inline constexpr std::int64_t kRowBytes = 64;  // at most
inline constexpr std::int64_t kLanes = kRowBytes / 4;

// What LDTILECFG reads.
struct alignas(64) Config {
  std::uint8_t palette = 0;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(Config) == 64);

}  // namespace bindrt::native::tiles
