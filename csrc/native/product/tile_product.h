// The product of packed weights on matrix tiles, whoever has the tiles: a processor, or an emulation in
// tests.
//
// The blocks that it is made of are in tile_block.h.
// While a block is computed, the vector unit finishes the sums of the block before it, a few rows after each
// step, and the weights of the next panel are fetched into the second cache.
//
// A step of 64 bytes of inputs takes 16 groups of the panel: 4096 bytes that stand together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "csrc/native/product/product.h"
#include "csrc/native/product/tile_block.h"

namespace bindrt::native::tiles {

inline constexpr std::int64_t kGroupBytes = kPanel * 4;  // a group of inputs of all columns of a panel
inline constexpr std::int64_t kStepBytes = kRows * kGroupBytes;  // of weights
inline constexpr std::int64_t kLine = 64;                        // of a cache
inline constexpr std::int64_t kStepLines = kStepBytes / kLine;
inline constexpr std::int64_t kStepsAhead = 4;  // where nothing was fetched before

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
    configuration_.need(down, rows.height);
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
    using Work = Block<Unit, kNumbers, kDown, kAcross>;
    const char* from[kDown];
    for (std::int64_t tile = 0; tile < kDown; ++tile) {
      from[tile] = static_cast<const char*>(activations_.data) +
                   (rows.first + rows.begin_of(tile)) * activations_.stride;
    }
    const std::int64_t finish_rows = (finishing_.left() + steps_ - 1) / steps_;
    ahead.begin_block();
    Work::zero();
    for (std::int64_t step = 0; step < steps_; ++step) {
      Work::products(from, activations_.stride, weights, kGroupBytes);
      for (const char*& row : from) {
        row += kRowBytes;
      }
      weights += kStepBytes;
      ahead.step();
      finishing_.some(finish_rows);
    }
    finishing_.all();
    Work::store(
        [this](std::int64_t tile, std::int64_t column_tile) {
          return finishing_.sums() + (tile * kRows * kAcross + column_tile) * kLanes;
        },
        kAcross * kRowBytes);
    finishing_.begin(rows, column, kAcross * kLanes);
  }

  const PackedWeight& weight_;
  const Activations& activations_;
  Split split_;
  std::int64_t steps_;
  Configuration<Unit> configuration_;
  Finishing<Unit, Sum> finishing_;
};

}  // namespace bindrt::native::tiles
