// A block of a product on matrix tiles: kDown tiles of rows by kAcross tiles of 16 columns, whose sums stay
// in tiles while all inputs pass.
//   2 by 2  most rows: as many loads as products, at twice the rate, so the loads hide
//   3 by 2  the last 33 to 48 rows in three tiles of equal height: 257 rows cost 8.03 blocks of 32, not 9
//   1 by 4  up to 16 rows: each weight is loaded once
// Where fewer columns are left, fewer tiles stand side by side.
#pragma once

#include <algorithm>
#include <cstdint>

#include "csrc/native/numbers.h"
#include "csrc/native/product/tiles.h"

namespace bindrt::native::tiles {

inline constexpr std::int64_t kMaxDown = 3;

// The rows of a block: tiles of equal height, the last of which overlaps the one before if rows are too few.
// An overlapping row is computed twice, with equal bits, and finished once.
struct Rows {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t height = 0;  // of a tile

  std::int64_t begin_of(std::int64_t tile) const { return std::min(tile * height, count - height); }
};

// Which rows a product's blocks have: as many pairs of tiles as leave a last block of up to three.
class Split {
 public:
  explicit Split(std::int64_t rows) : rows_(rows) {
    const std::int64_t pairs = rows / (2 * kRows);
    const std::int64_t rest = rows % (2 * kRows);
    const bool joined = rest > 0 && rest <= kRows && pairs > 0;
    last_ = rest == 0 || joined ? std::max<std::int64_t>(pairs - 1, 0) : pairs;
  }

  std::int64_t blocks() const { return last_ + 1; }
  Rows block(std::int64_t index) const {
    const std::int64_t first = index * 2 * kRows;
    const std::int64_t count = index < last_ ? 2 * kRows : rows_ - first;
    return {first, count, (count + tiles_of(count) - 1) / tiles_of(count)};
  }
  static std::int64_t tiles_of(std::int64_t count) { return (count + kRows - 1) / kRows; }

 private:
  std::int64_t rows_;
  std::int64_t last_;  // the last block
};

// Says how large the tiles are, where a block has others than the one before. That costs as much as a few
// steps, and loses what is in the tiles.
template <class Unit>
class Configuration {
 public:
  // Tiles of sums and of rows have `height` rows, those of weights all sixteen.
  void need(std::int64_t down, std::int64_t height) {
    if (down == down_ && height == height_) {
      return;
    }
    down_ = down;
    height_ = height;
    Config config;
    config.palette = 1;
    const std::int64_t weights = down == 1 ? 5 : down == 2 ? 6 : 7;  // the first of them, see Block
    for (std::int64_t tile = 0; tile < kTiles; ++tile) {
      config.row_bytes[tile] = kRowBytes;
      config.rows[tile] = static_cast<std::uint8_t>(tile < weights ? height : kRows);
    }
    Unit::configure(config);
  }

 private:
  std::int64_t down_ = 0;
  std::int64_t height_ = 0;
};

// Tile kAcross · row + column has the sums, the tiles behind them what is multiplied.
template <class Unit, Numbers kNumbers, int kDown, int kAcross>
struct Block {
  static_assert(kDown >= 1 && kDown <= kMaxDown && kAcross >= 1 && kAcross <= (kDown == 1 ? 4 : 2));

  template <int kTile = 0>
  [[gnu::always_inline]] static void zero() {
    if constexpr (kTile < kDown * kAcross) {
      Unit::template zero<kTile>();
      zero<kTile + 1>();
    }
  }

  // `at(row, column)`: where a tile of sums begins; `stride`: bytes from row to row.
  template <int kTile = 0, class At>
  [[gnu::always_inline]] static void load(const At& at, std::int64_t stride) {
    if constexpr (kTile < kDown * kAcross) {
      Unit::template load<kTile>(at(kTile / kAcross, kTile % kAcross), stride);
      load<kTile + 1>(at, stride);
    }
  }
  template <int kTile = 0, class At>
  [[gnu::always_inline]] static void store(const At& at, std::int64_t stride) {
    if constexpr (kTile < kDown * kAcross) {
      Unit::template store<kTile>(at(kTile / kAcross, kTile % kAcross), stride);
      store<kTile + 1>(at, stride);
    }
  }

  // One step of 64 bytes of inputs: `rows` begin them in each tile of rows, `weights` in the columns.
  [[gnu::always_inline]] static void products(const char* const (&rows)[kDown], std::int64_t stride,
                                              const char* weights, std::int64_t weights_stride) {
    if constexpr (kDown == 1) {
      Unit::template load<4>(rows[0], stride);
      columns_of_one_row<0>(weights, weights_stride);
    } else if constexpr (kDown == 2) {
      Unit::template load<4>(rows[0], stride);
      Unit::template load<6>(weights, weights_stride);
      multiply<0, 4, 6>();
      if constexpr (kAcross == 2) {
        Unit::template load<7>(weights + kRowBytes, weights_stride);
        multiply<1, 4, 7>();
      }
      Unit::template load<5>(rows[1], stride);
      multiply<kAcross, 5, 6>();
      if constexpr (kAcross == 2) {
        multiply<3, 5, 7>();
      }
    } else {  // six sums leave two tiles; the way back through the rows keeps the last one
      Unit::template load<7>(weights, weights_stride);
      Unit::template load<6>(rows[0], stride);
      multiply<0, 6, 7>();
      Unit::template load<6>(rows[1], stride);
      multiply<kAcross, 6, 7>();
      Unit::template load<6>(rows[2], stride);
      multiply<2 * kAcross, 6, 7>();
      if constexpr (kAcross == 2) {
        Unit::template load<7>(weights + kRowBytes, weights_stride);
        multiply<5, 6, 7>();
        Unit::template load<6>(rows[1], stride);
        multiply<3, 6, 7>();
        Unit::template load<6>(rows[0], stride);
        multiply<1, 6, 7>();
      }
    }
  }

 private:
  template <int kSum, int kRows, int kColumns>
  [[gnu::always_inline]] static void multiply() {
    Unit::template multiply<kNumbers, kSum, kRows, kColumns>();
  }

  template <int kColumn>
  [[gnu::always_inline]] static void columns_of_one_row(const char* weights, std::int64_t stride) {
    if constexpr (kColumn < kAcross) {
      constexpr int kTile = 5 + kColumn % 3;
      Unit::template load<kTile>(weights + kColumn * kRowBytes, stride);
      multiply<kColumn, 4, kTile>();
      columns_of_one_row<kColumn + 1>(weights, stride);
    }
  }
};

}  // namespace bindrt::native::tiles
