// Matrix tiles in plain C++, as the processors' documentation has them, for tests on machines without AMX.
//
// What the processor answers with a fault throws std::logic_error; from a kernel, which is noexcept, it ends
// the program.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "csrc/native/product/epilogue.h"
#include "csrc/native/product/tiles.h"

namespace bindrt::testing {

using native::Numbers;
namespace tiles = native::tiles;

inline void fault_unless(bool good, const char* what) {
  if (!good) {
    throw std::logic_error(what);
  }
}

// float32 as the tiles' products read and write it: subnormal numbers are zeros.
inline float flushed(float value) {
  return std::fabs(value) < std::numeric_limits<float>::min() ? std::copysign(0.0F, value) : value;
}

// The tiles of this thread, and how often each instruction ran.
struct Tiles {
  bool configured = false;
  tiles::Config config;
  std::uint8_t data[tiles::kTiles][tiles::kRows][tiles::kRowBytes] = {};
  std::int64_t configures = 0;
  std::int64_t loads = 0;
  std::int64_t products = 0;
  std::int64_t lines = 0;         // fetched one after the other
  const char* fetched = nullptr;  // where the next is expected

  std::int64_t rows(int tile) const { return config.rows[tile]; }
  std::int64_t row_bytes(int tile) const { return config.row_bytes[tile]; }
  void require(int tile) const {
    fault_unless(configured && tile < tiles::kTiles, "no configuration, or no such tile");
    fault_unless(rows(tile) > 0 && row_bytes(tile) > 0, "a tile without rows");
  }

  template <class T>
  T get(int tile, std::int64_t row, std::int64_t index) const {
    T value;
    std::memcpy(&value, &data[tile][row][index * static_cast<std::int64_t>(sizeof(T))], sizeof(T));
    return value;
  }
  template <class T>
  void put(int tile, std::int64_t row, std::int64_t index, T value) {
    std::memcpy(&data[tile][row][index * static_cast<std::int64_t>(sizeof(T))], &value, sizeof(T));
  }
};

inline Tiles& my_tiles() {
  thread_local Tiles mine;
  return mine;
}

struct EmulatedTiles {
  static void configure(const tiles::Config& config) {
    fault_unless(config.palette == 1 && config.start_row == 0, "palette or start row");
    for (const std::uint8_t byte : config.reserved) {
      fault_unless(byte == 0, "reserved bytes of a configuration");
    }
    for (int tile = 0; tile < 16; ++tile) {
      const bool exists = tile < tiles::kTiles;
      fault_unless(config.rows[tile] <= (exists ? tiles::kRows : 0), "rows of a tile");
      fault_unless(config.row_bytes[tile] <= (exists ? tiles::kRowBytes : 0), "bytes of a tile's row");
      fault_unless((config.rows[tile] == 0) == (config.row_bytes[tile] == 0), "half a tile");
    }
    Tiles& t = my_tiles();
    t.configured = true;
    t.config = config;
    std::memset(t.data, 0, sizeof t.data);
    ++t.configures;
  }

  static void fetch(const char* line) {
    Tiles& t = my_tiles();
    t.lines = line == t.fetched ? t.lines + 1 : 1;
    t.fetched = line + 64;
  }

  static void release() {
    my_tiles().configured = false;
    std::memset(my_tiles().data, 0, sizeof my_tiles().data);
  }

  template <int kTile>
  static void zero() {
    my_tiles().require(kTile);
    std::memset(my_tiles().data[kTile], 0, sizeof my_tiles().data[kTile]);
  }

  template <int kTile>
  static void load(const void* from, std::int64_t stride) {
    Tiles& t = my_tiles();
    zero<kTile>();
    for (std::int64_t row = 0; row < t.rows(kTile); ++row) {
      std::memcpy(t.data[kTile][row], static_cast<const char*>(from) + row * stride,
                  static_cast<std::size_t>(t.row_bytes(kTile)));
    }
    ++t.loads;
  }

  template <int kTile>
  static void store(void* to, std::int64_t stride) {
    Tiles& t = my_tiles();
    t.require(kTile);
    for (std::int64_t row = 0; row < t.rows(kTile); ++row) {
      std::memcpy(static_cast<char*>(to) + row * stride, t.data[kTile][row],
                  static_cast<std::size_t>(t.row_bytes(kTile)));
    }
  }

  template <Numbers kNumbers, int kSum, int kRows, int kColumns>
  static void multiply() {
    Tiles& t = my_tiles();
    for (const int tile : {kSum, kRows, kColumns}) {
      t.require(tile);
      fault_unless(t.row_bytes(tile) % 4 == 0, "part of a number in a row");
    }
    fault_unless(kSum != kRows && kSum != kColumns && kRows != kColumns, "one tile twice");
    fault_unless(t.rows(kSum) == t.rows(kRows), "rows of sums and of the first operand");
    fault_unless(t.row_bytes(kSum) == t.row_bytes(kColumns), "columns of sums and of the second operand");
    fault_unless(t.row_bytes(kRows) / 4 == t.rows(kColumns), "what the operands have in common");
    for (std::int64_t m = 0; m < t.rows(kSum); ++m) {
      for (std::int64_t n = 0; n < t.row_bytes(kSum) / 4; ++n) {
        if constexpr (kNumbers == Numbers::kInt8) {
          t.put(kSum, m, n, bytes(t, kRows, kColumns, m, n, t.get<std::int32_t>(kSum, m, n)));
        } else {
          t.put(kSum, m, n, pairs(t, kRows, kColumns, m, n, t.get<float>(kSum, m, n)));
        }
      }
    }
    for (std::int64_t m = t.rows(kSum); m < tiles::kRows; ++m) {
      std::memset(t.data[kSum][m], 0, sizeof t.data[kSum][m]);
    }
    ++t.products;
  }

  template <class Sum>
  static void finish(const native::PackedWeight& weight, const native::Activations& rows_in, std::int64_t row,
                     std::int64_t column, std::int64_t columns, const Sum* sums,
                     const native::Target& target) {
    if (columns == native::kPanel) {
      native::finish_columns<native::kPanel>(weight, rows_in, row, column, sums, target);
    } else {
      native::finish_columns<native::kPanel / 2>(weight, rows_in, row, column, sums, target);
    }
  }

 private:
  // TDPBUSD: four unsigned bytes by four signed ones, into 32 bits that wrap.
  static std::int32_t bytes(const Tiles& t, int a, int b, std::int64_t m, std::int64_t n, std::int32_t sum) {
    auto wrapping = static_cast<std::uint32_t>(sum);
    for (std::int64_t k = 0; k < t.row_bytes(a) / 4; ++k) {
      for (std::int64_t i = 0; i < 4; ++i) {
        const int product = t.get<std::uint8_t>(a, m, 4 * k + i) * t.get<std::int8_t>(b, k, 4 * n + i);
        wrapping += static_cast<std::uint32_t>(product);
      }
    }
    return static_cast<std::int32_t>(wrapping);
  }

  // TDPBF16PS: even and odd numbers are summed apart, from zero; then both together, then to what was there.
  static float pairs(const Tiles& t, int a, int b, std::int64_t m, std::int64_t n, float sum) {
    float part[2] = {};
    for (std::int64_t k = 0; k < t.row_bytes(a) / 4; ++k) {
      for (std::int64_t i = 0; i < 2; ++i) {
        const float x = flushed(native::from_bf16(t.get<std::uint16_t>(a, m, 2 * k + i)));
        const float y = flushed(native::from_bf16(t.get<std::uint16_t>(b, k, 2 * n + i)));
        part[i] = flushed(std::fma(x, y, part[i]));
      }
    }
    return flushed(flushed(sum) + flushed(part[0] + part[1]));
  }
};

}  // namespace bindrt::testing
