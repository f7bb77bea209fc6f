// The products on the processor's matrix tiles, AMX.
#include "csrc/native/product/kernels.h"

#if defined(__x86_64__) && defined(__linux__)

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "csrc/native/product/epilogue.h"
#include "csrc/native/product/tile_product.h"
#include "kernels/base/cpu_features.h"

namespace bindrt::native {
namespace {

// The instructions by their names, since the compilers' intrinsics take a tile's number as text only.
struct ProcessorTiles {
  static void configure(const tiles::Config& config) { __asm__ volatile("ldtilecfg %0" : : "m"(config)); }
  static void release() { __asm__ volatile("tilerelease"); }

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

  template <class Sum>
  BINDRT_AVX512 static void finish(const PackedWeight& weight, const Activations& rows_in, std::int64_t row,
                                   std::int64_t column, std::int64_t columns, const Sum* sums,
                                   const Target& target) {
    if (columns == kPanel) {
      finish_columns<kPanel>(weight, rows_in, row, column, sums, target);
    } else {
      finish_columns<kPanel / 2>(weight, rows_in, row, column, sums, target);
    }
  }
};

// Linux saves the tiles of processes that have asked for it. It says no where a thread has an alternative
// signal stack too small for them, or the container forbids to ask.
bool permitted() noexcept {
  constexpr long kAsk = 0x1023;   // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;  // XFEATURE_XTILEDATA
  static const bool yes = ::syscall(SYS_arch_prctl, kAsk, kTileData) == 0;
  return yes;
}

bool usable(std::string_view instructions) noexcept {
  for (const std::string_view name :
       {"avx512f", "avx512bw", "avx512vl", "avx512dq", "fma", "f16c", "bmi2", "amx"}) {
    if (!kernels::has_cpu_feature(name)) {
      return false;
    }
  }
  return kernels::has_cpu_feature(instructions) && permitted();
}

// The second cache has 2 MB on every processor with AMX. Four fifths are for the activations and a panel, the
// rest for the next panel as it is fetched and for what is written. Beyond 704 rows nothing is gained:
// weights pass less often than memory could bring them.
std::int64_t good_rows(std::int64_t row_bytes) noexcept {
  constexpr std::int64_t kBytes = 2 * 1024 * 1024 / 5 * 4;
  return std::clamp<std::int64_t>(kBytes / std::max<std::int64_t>(row_bytes, 1) - kPanel, 64, 704);
}

template <Numbers kNumbers>
std::int64_t good_rows_of(std::int64_t inputs) noexcept {
  return good_rows(padded_inputs(kNumbers, inputs) * bytes_of(kNumbers));
}

bool int8_usable() noexcept { return usable("amx_int8"); }
bool bf16_usable() noexcept { return usable("amx_bf16"); }

template <Numbers kNumbers>
void run(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows, std::int64_t first,
         std::int64_t last, const Target& target) noexcept {
  tiles::Product<ProcessorTiles, kNumbers>(weight, rows_in, rows, target).run(first, last);
}

// With some hundred rows a panel is computed about as fast as memory brings it.
constexpr std::int64_t kGoodPanels = 4;

}  // namespace

const ProductKernel kAmxInt8{"amx_int8",           Numbers::kInt8,
                             &int8_usable,         &good_rows_of<Numbers::kInt8>,
                             &run<Numbers::kInt8>, kGoodPanels};
const ProductKernel kAmxBf16{"amx_bf16",           Numbers::kBf16,
                             &bf16_usable,         &good_rows_of<Numbers::kBf16>,
                             &run<Numbers::kBf16>, kGoodPanels};

}  // namespace bindrt::native

#endif
