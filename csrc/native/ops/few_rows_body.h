// The body of few_rows.h, once for each level. The file of a level defines before it
//   LEVEL          the target attribute of a function
//   Sums, kVector  a vector of so many float sums
//   Units          as many units of b, or one unit of a in every lane
//   zero, load_sums, store_sums, load_units, all_units, multiply_add
//   kTileRows, kTileVectors   the most rows and vectors of columns, and
//   kTileSums                 the most vectors of sums, that stay in registers
// and includes it in its own unnamed namespace.

template <int R, int C>
LEVEL void tile(const FewRows& work, std::int64_t row, std::int64_t column) noexcept {
  const auto* a = static_cast<const std::uint32_t*>(work.a) + row * work.a_stride;
  const auto* b = static_cast<const std::uint32_t*>(work.b) + column;
  float* const c = work.c + row * work.c_stride + column;
  Sums sum[R][C];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int i = 0; i < C; ++i) {
      sum[r][i] = work.add ? load_sums(c + r * work.c_stride + i * kVector) : zero();
    }
  }
  for (std::int64_t k = 0; k < work.depth; ++k, ++a, b += work.b_stride) {
    Units units[C];
#pragma GCC unroll 8
    for (int i = 0; i < C; ++i) {
      units[i] = load_units(b + i * kVector);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Units one = all_units(a + r * work.a_stride);
#pragma GCC unroll 8
      for (int i = 0; i < C; ++i) {
        multiply_add(sum[r][i], one, units[i]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int i = 0; i < C; ++i) {
      store_sums(c + r * work.c_stride + i * kVector, sum[r][i]);
    }
  }
}

template <int R, int C>
LEVEL void tile_of(const FewRows& work, std::int64_t rows, std::int64_t row, std::int64_t column) noexcept {
  if constexpr (R > 1) {
    if (rows < R) {
      tile_of<R - 1, C>(work, rows, row, column);
      return;
    }
  }
  tile<R, C>(work, row, column);
}

// All rows, of so many vectors of columns.
template <int C>
LEVEL void stripe(const FewRows& work, std::int64_t vectors, std::int64_t column) noexcept {
  if constexpr (C > 1) {
    if (vectors < C) {
      stripe<C - 1>(work, vectors, column);
      return;
    }
  }
  constexpr int kRows = kTileRows < kTileSums / C ? kTileRows : kTileSums / C;
  for (std::int64_t row = 0; row < work.rows; row += kRows) {
    tile_of<kRows, C>(work, work.rows - row, row, column);
  }
}

LEVEL void product(const FewRows& work) noexcept {
  const std::int64_t vectors = work.columns / kVector;
  const std::int64_t stripes = (vectors + kTileVectors - 1) / kTileVectors;
  for (std::int64_t i = 0; i < stripes; ++i) {  // of nearly equal width
    const std::int64_t first = i * vectors / stripes;
    stripe<kTileVectors>(work, (i + 1) * vectors / stripes - first, first * kVector);
  }
}
