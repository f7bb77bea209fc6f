// The product of few_rows.h of bfloat16 pairs on matrix tiles, whoever has the tiles: a processor, or an
// emulation in tests. `depth` is a multiple of 16.
#pragma once

#include "csrc/native/ops/few_rows.h"
#include "csrc/native/product/tile_block.h"

namespace bindrt::native::tiles {

template <class Unit>
class FewRowsProduct {
 public:
  explicit FewRowsProduct(const FewRows& work) : work_(work) {}

  void run() {
    const Split split(work_.rows);
    for (std::int64_t b = 0; b < split.blocks(); ++b) {
      const Rows rows = split.block(b);
      const std::int64_t down = Split::tiles_of(rows.count);
      configuration_.need(down, rows.height);
      switch (down) {
        case 1:
          columns_by<1, 4>(rows);
          break;
        case 2:
          columns_by<2, 2>(rows);
          break;
        default:
          columns_by<3, 2>(rows);
          break;
      }
    }
    Unit::release();
  }

 private:
  static constexpr std::int64_t kUnit = 4;  // bytes

  template <int kDown, int kAcross>
  void columns_by(const Rows& rows) {
    std::int64_t column = 0;
    for (; column + kAcross * kLanes <= work_.columns; column += kAcross * kLanes) {
      block<kDown, kAcross>(rows, column);
    }
    rest<kDown, kAcross - 1>(rows, column);
  }

  // Fewer columns than kAcross tiles have.
  template <int kDown, int kAcross>
  void rest(const Rows& rows, std::int64_t column) {
    if constexpr (kAcross > 0) {
      if (column + kAcross * kLanes <= work_.columns) {
        block<kDown, kAcross>(rows, column);
      } else {
        rest<kDown, kAcross - 1>(rows, column);
      }
    }
  }

  template <int kDown, int kAcross>
  void block(const Rows& rows, std::int64_t column) {
    using Work = Block<Unit, Numbers::kBf16, kDown, kAcross>;
    const auto row_of = [&](std::int64_t tile) { return rows.first + rows.begin_of(tile); };
    const auto sums = [&](std::int64_t tile, std::int64_t across) {
      return work_.c + row_of(tile) * work_.c_stride + column + across * kLanes;
    };
    const char* from[kDown];
    for (std::int64_t tile = 0; tile < kDown; ++tile) {
      from[tile] = static_cast<const char*>(work_.a) + row_of(tile) * work_.a_stride * kUnit;
    }
    const char* weights = static_cast<const char*>(work_.b) + column * kUnit;
    if (work_.add) {
      Work::load(sums, work_.c_stride * kUnit);
    } else {
      Work::zero();
    }
    for (std::int64_t k = 0; k < work_.depth; k += kRows) {
      Work::products(from, work_.a_stride * kUnit, weights, work_.b_stride * kUnit);
      for (const char*& row : from) {
        row += kRowBytes;
      }
      weights += kRows * work_.b_stride * kUnit;
    }
    Work::store(sums, work_.c_stride * kUnit);
  }

  const FewRows& work_;
  Configuration<Unit> configuration_;
};

}  // namespace bindrt::native::tiles
