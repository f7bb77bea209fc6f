// The product of packed weights on matrix tiles, whoever has the tiles: a processor, or an emulation in
// tests.
//
// A block of results is kDown tiles of rows by kAcross tiles of 16 columns, whose sums stay in tiles while
// all inputs pass:
//   2 by 2  most rows: as many loads as products, at twice the rate, so the loads hide
//   3 by 2  the last 33 to 48 rows in three tiles of equal height: 257 rows cost 8.03 blocks of 32, not 9
//   1 by 4  up to 16 rows: each weight is loaded once
// While a block is computed, the vector unit finishes the sums of the block before it, a few rows after each
// step, and the weights of the next panel are fetched into the second cache.
//
// A step of 64 bytes of inputs takes 16 groups of the panel: 4096 bytes that stand together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "csrc/native/product/product.h"
#include "csrc/native/product/tiles.h"

namespace bindrt::native::tiles {

inline constexpr std::int64_t kGroupBytes = kPanel * 4;  // a group of inputs of all columns of a panel
inline constexpr std::int64_t kStepBytes = kRows * kGroupBytes;  // of weights
inline constexpr std::int64_t kLine = 64;                        // of a cache
inline constexpr std::int64_t kStepLines = kStepBytes / kLine;
inline constexpr std::int64_t kStepsAhead = 4;  // where nothing was fetched before
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

// Fetches the panel after the one in work, evenly while that one is computed.
template <class Unit>
class Ahead {
 public:
  // `calls`: of a block's function for each panel, each of which has all steps.
  Ahead(const void* first, std::int64_t panel_bytes, std::int64_t panels, std::int64_t calls)
      : panel_bytes_(panel_bytes),
        at_(static_cast<const char*>(first) + std::min(kStepsAhead * kStepBytes, panel_bytes)),
        end_(static_cast<const char*>(first) + panels * panel_bytes),
        lines_((kStepLines + calls - 1) / calls) {}

  void begin_panel(const void* panel) {
    panel_end_ = static_cast<const char*>(panel) + panel_bytes_;
    limit_ = std::min(panel_end_ + panel_bytes_, end_);
  }
  // Each step of the block that begins now fetches a share.
  void begin_block() { now_ = at_ < panel_end_ ? kStepLines : lines_; }
  [[gnu::always_inline]] void step() {
    for (std::int64_t line = 0; line < now_ && at_ < limit_; ++line, at_ += kLine) {
      Unit::fetch(at_);
    }
  }

 private:
  std::int64_t panel_bytes_;
  const char* at_;
  const char* end_;
  std::int64_t lines_;
  std::int64_t now_ = 0;
  const char* panel_end_ = nullptr;
  const char* limit_ = nullptr;
};

// The sums of the block that was computed last, and how many of their rows are finished.
template <class Unit, class Sum>
class Finishing {
 public:
  Finishing(const PackedWeight& weight, const Activations& activations, const Target& target)
      : weight_(weight), activations_(activations), target_(target) {}

  Sum* sums() { return sums_; }
  void begin(const Rows& rows, std::int64_t column, std::int64_t columns) {
    rows_ = rows;
    column_ = column;
    columns_ = columns;
    next_ = 0;
    tile_ = 0;
  }
  [[gnu::always_inline]] void some(std::int64_t count) {
    for (; count > 0 && next_ < rows_.count; --count) {
      one();
    }
  }
  void all() { some(rows_.count); }
  std::int64_t left() const { return rows_.count - next_; }

 private:
  void one() {
    tile_ += next_ == (tile_ + 1) * rows_.height ? 1 : 0;
    const std::int64_t at = tile_ * kRows + next_ - rows_.begin_of(tile_);
    Unit::finish(weight_, activations_, rows_.first + next_, column_, columns_, sums_ + at * columns_,
                 target_);
    ++next_;
  }

  const PackedWeight& weight_;
  const Activations& activations_;
  const Target& target_;
  Rows rows_;
  std::int64_t column_ = 0;
  std::int64_t columns_ = 0;
  std::int64_t next_ = 0;
  std::int64_t tile_ = 0;
  alignas(64) Sum sums_[kMaxDown * kRows * kPanel / 2];
};

template <class Unit, Numbers kNumbers>
class Product {
  using Sum = std::conditional_t<kNumbers == Numbers::kInt8, std::int32_t, float>;

 public:
  Product(const PackedWeight& weight, const Activations& activations, std::int64_t rows, const Target& target)
      : weight_(weight),
        activations_(activations),
        split_(rows),
        steps_(padded_inputs(kNumbers, weight.inputs) * bytes_of(kNumbers) / kRowBytes),
        finishing_(weight, activations, target) {}

  // Panels [first, last), at least one.
  void run(std::int64_t first, std::int64_t last) {
    const std::int64_t panel_bytes = steps_ * kStepBytes;
    const std::int64_t calls = split_.blocks() * (split_.block(0).count <= kRows ? 1 : 2);
    const char* panel = static_cast<const char*>(weight_.data) + first * panel_bytes;
    Ahead<Unit> ahead(panel, panel_bytes, last - first, calls);
    for (std::int64_t p = first; p < last; ++p, panel += panel_bytes) {
      ahead.begin_panel(panel);
      for (std::int64_t b = 0; b < split_.blocks(); ++b) {
        compute(split_.block(b), panel, p * kPanel, ahead);
      }
    }
    finishing_.all();
    Unit::release();
  }

 private:
  void compute(const Rows& rows, const char* panel, std::int64_t column, Ahead<Unit>& ahead) {
    const std::int64_t down = Split::tiles_of(rows.count);
    configure(down, rows.height);
    switch (down) {
      case 1:
        block<1, 4>(rows, panel, column, ahead);
        break;
      case 2:
        both_halves<2>(rows, panel, column, ahead);
        break;
      default:
        both_halves<3>(rows, panel, column, ahead);
        break;
    }
  }

  template <int kDown>
  void both_halves(const Rows& rows, const char* panel, std::int64_t column, Ahead<Unit>& ahead) {
    block<kDown, 2>(rows, panel, column, ahead);
    if (column + kPanel / 2 < weight_.outputs) {
      block<kDown, 2>(rows, panel + 2 * kRowBytes, column + kPanel / 2, ahead);
    }
  }

  // `weights`: the first of the block's columns in the panel.
  template <int kDown, int kAcross>
  void block(const Rows& rows, const char* weights, std::int64_t column, Ahead<Unit>& ahead) {
    const char* from[kDown];
    for (std::int64_t tile = 0; tile < kDown; ++tile) {
      from[tile] = static_cast<const char*>(activations_.data) +
                   (rows.first + rows.begin_of(tile)) * activations_.stride;
    }
    const std::int64_t finish_rows = (finishing_.left() + steps_ - 1) / steps_;
    ahead.begin_block();
    zero<kDown * kAcross>();
    for (std::int64_t step = 0; step < steps_; ++step) {
      products<kDown>(from, weights);
      for (const char*& row : from) {
        row += kRowBytes;
      }
      weights += kStepBytes;
      ahead.step();
      finishing_.some(finish_rows);
    }
    finishing_.all();
    store<kDown, kAcross>(finishing_.sums());
    finishing_.begin(rows, column, kAcross * kLanes);
  }

  template <int kDown>
  [[gnu::always_inline]] void products(const char* const (&rows)[kDown], const char* weights) {
    const std::int64_t stride = activations_.stride;
    if constexpr (kDown == 1) {
      Unit::template load<4>(rows[0], stride);
      Unit::template load<5>(weights, kGroupBytes);
      Unit::template multiply<kNumbers, 0, 4, 5>();
      Unit::template load<6>(weights + kRowBytes, kGroupBytes);
      Unit::template multiply<kNumbers, 1, 4, 6>();
      Unit::template load<7>(weights + 2 * kRowBytes, kGroupBytes);
      Unit::template multiply<kNumbers, 2, 4, 7>();
      Unit::template load<5>(weights + 3 * kRowBytes, kGroupBytes);
      Unit::template multiply<kNumbers, 3, 4, 5>();
    } else if constexpr (kDown == 2) {
      Unit::template load<4>(rows[0], stride);
      Unit::template load<6>(weights, kGroupBytes);
      Unit::template multiply<kNumbers, 0, 4, 6>();
      Unit::template load<7>(weights + kRowBytes, kGroupBytes);
      Unit::template multiply<kNumbers, 1, 4, 7>();
      Unit::template load<5>(rows[1], stride);
      Unit::template multiply<kNumbers, 2, 5, 6>();
      Unit::template multiply<kNumbers, 3, 5, 7>();
    } else {  // six sums leave two tiles; the way back through the rows keeps the last one
      Unit::template load<7>(weights, kGroupBytes);
      Unit::template load<6>(rows[0], stride);
      Unit::template multiply<kNumbers, 0, 6, 7>();
      Unit::template load<6>(rows[1], stride);
      Unit::template multiply<kNumbers, 2, 6, 7>();
      Unit::template load<6>(rows[2], stride);
      Unit::template multiply<kNumbers, 4, 6, 7>();
      Unit::template load<7>(weights + kRowBytes, kGroupBytes);
      Unit::template multiply<kNumbers, 5, 6, 7>();
      Unit::template load<6>(rows[1], stride);
      Unit::template multiply<kNumbers, 3, 6, 7>();
      Unit::template load<6>(rows[0], stride);
      Unit::template multiply<kNumbers, 1, 6, 7>();
    }
  }

  template <int kCount>
  [[gnu::always_inline]] void zero() {
    if constexpr (kCount > 0) {
      zero<kCount - 1>();
      Unit::template zero<kCount - 1>();
    }
  }

  // Tile kAcross · row + column of the sums, which stand row after row of the block.
  template <int kDown, int kAcross, int kTile = 0>
  [[gnu::always_inline]] void store(Sum* sums) {
    if constexpr (kTile < kDown * kAcross) {
      constexpr std::int64_t kAt = (kTile / kAcross * kRows * kAcross + kTile % kAcross) * kLanes;
      Unit::template store<kTile>(sums + kAt, kAcross * kRowBytes);
      store<kDown, kAcross, kTile + 1>(sums);
    }
  }

  // Tiles of sums and activations have `height` rows, those of weights all sixteen. Configuring costs as much
  // as a few steps and loses what is in the tiles, so it is done when a block differs from the one before.
  void configure(std::int64_t down, std::int64_t height) {
    if (down == down_ && height == height_) {
      return;
    }
    down_ = down;
    height_ = height;
    Config config;
    config.palette = 1;
    const std::int64_t weights = down == 1 ? 5 : down == 2 ? 6 : 7;  // the first of them, see products()
    for (std::int64_t tile = 0; tile < kTiles; ++tile) {
      config.row_bytes[tile] = kRowBytes;
      config.rows[tile] = static_cast<std::uint8_t>(tile < weights ? height : kRows);
    }
    Unit::configure(config);
  }

  const PackedWeight& weight_;
  const Activations& activations_;
  Split split_;
  std::int64_t steps_;
  std::int64_t down_ = 0;  // of the configuration
  std::int64_t height_ = 0;
  Finishing<Unit, Sum> finishing_;
};

}  // namespace bindrt::native::tiles
