// Asks the processor and Linux for tiles.
#include "csrc/native/product/amx_tiles.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "csrc/native/product/x86.h"
#include "kernels/base/cpu_features.h"

namespace bindrt::native {
namespace {

// Linux saves the tiles of processes that have asked for it. It says no where a thread has an alternative
// signal stack too small for them, or the container forbids to ask.
bool permitted() noexcept {
  constexpr long kAsk = 0x1023;   // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;  // XFEATURE_XTILEDATA
  static const bool yes = ::syscall(SYS_arch_prctl, kAsk, kTileData) == 0;
  return yes;
}

// The palette of eight tiles of 16 rows of 64 bytes, which every processor with AMX has had so far.
bool has_palette() noexcept {
  constexpr unsigned int kLeaf = 0x1D;
  unsigned int bytes = 0, names_and_row = 0, rows = 0, unused = 0;
  return __get_cpuid_count(kLeaf, 1, &bytes, &names_and_row, &rows, &unused) != 0 &&
         bytes >> 16 == tiles::kRows * tiles::kRowBytes && (names_and_row & 0xFFFFU) == tiles::kRowBytes &&
         names_and_row >> 16 == tiles::kTiles && (rows & 0xFFFFU) == tiles::kRows;
}

}  // namespace

bool tiles_usable(std::string_view instructions) noexcept {
  return has_avx512() && has({"amx", instructions}) && has_palette() && permitted();
}

}  // namespace bindrt::native

#endif
