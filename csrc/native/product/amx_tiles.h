// The tiles of the processor, as the products on tiles take them, and whether this process may use them.
#pragma once

#if defined(__x86_64__) && defined(__linux__)

#include <cstdint>
#include <string_view>

#include "csrc/native/numbers.h"
#include "csrc/native/product/tiles.h"

namespace bindrt::native {

// The instructions by their names, since the compilers' intrinsics take a tile's number as text only.
struct ProcessorTiles {
  // What is computed between these two reads memory behind the compiler's back, so nothing is moved across.
  static void configure(const tiles::Config& config) {
    __asm__ volatile("ldtilecfg %0" : : "m"(config) : "memory");
  }
  static void release() { __asm__ volatile("tilerelease" : : : "memory"); }

  // One line, into the second cache.
  static void fetch(const char* from) { __builtin_prefetch(from, 0, 2); }

  template <int kTile>
  [[gnu::always_inline]] static void zero() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kTile>
  [[gnu::always_inline]] static void load(const void* from, std::int64_t stride) {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile));
  }
  template <int kTile>
  [[gnu::always_inline]] static void store(void* to, std::int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  template <Numbers kNumbers, int kSum, int kRows, int kColumns>
  [[gnu::always_inline]] static void multiply() {
    if constexpr (kNumbers == Numbers::kInt8) {
      __asm__ volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kRows), "i"(kColumns));
    } else {
      __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kRows), "i"(kColumns));
    }
  }
};

// Whether the processor has tiles as large as the products expect, `instructions` on them ("amx_bf16",
// "amx_int8") and AVX-512 for what is between, and Linux saves them for this process.
bool tiles_usable(std::string_view instructions) noexcept;

}  // namespace bindrt::native

#endif
