// Products of a few rows of bfloat16 pairs on the processor's matrix tiles, AMX.
#include "csrc/native/ops/attention_kernel.h"

#if defined(__x86_64__) && defined(__linux__)

#include "csrc/native/ops/few_rows_tiles.h"
#include "csrc/native/product/amx_tiles.h"

namespace bindrt::native {
namespace {

void product(const FewRows& work) noexcept { tiles::FewRowsProduct<ProcessorTiles>(work).run(); }

bool available() noexcept { return tiles_usable("amx_bf16"); }

}  // namespace

const AttentionKernel kAmxAttention{"amx_bf16", Units::kPairs, &product, kTileAttention, &available};

}  // namespace bindrt::native

#endif
