// How attention computes its two products, and which of these ways is taken here.
#pragma once

#include <cstdint>
#include <span>

#include "csrc/native/ops/columns.h"
#include "csrc/native/ops/few_rows.h"
#include "csrc/native/ops/softmax.h"

namespace bindrt::native {

// What a product wishes of the blocks of queries that it is given.
struct AttentionBlocks {
  std::int64_t queries;  // of a block
  std::int64_t most;     // of the last, so that few are not left for one of their own
  std::int64_t depth;    // of a product is a multiple of so many units, filled up with zeros
};
inline constexpr AttentionBlocks kVectorAttention{12, 12, 1};
inline constexpr AttentionBlocks kTileAttention{32, 48, 16};
static_assert(kTileAttention.most <= kSoftmaxRows && kVectorAttention.most <= kSoftmaxRows);

struct AttentionKernel {
  const char* name;  // "vectors", "avx512_bf16", "amx_bf16", "neon_bf16"
  Units units;
  FewRowsProduct product;
  AttentionBlocks blocks;
  bool (*available)() noexcept;
};

// Those that compute with pairs of bfloat16, the fastest last. Any processor has "vectors" beside them.
std::span<const AttentionKernel> attention_kernels() noexcept;
// The fastest that runs at the level in use and computes right, which is tried once; tests choose others by
// name (limit_attention_kernel, process-wide, "" for no limit).
AttentionKernel attention_kernel(bool bf16) noexcept;
bool limit_attention_kernel(const char* name) noexcept;  // false: not here
// Whether attention by a kernel is as near to float64 as bfloat16 allows; takes under a millisecond.
bool computes_right(const AttentionKernel& kernel) noexcept;
// Whether one of attention_kernels() was passed over, since it does not.
bool is_wrong(const AttentionKernel& kernel) noexcept;

#if defined(__x86_64__) && defined(__linux__)
extern const AttentionKernel kAmxAttention;
#endif
#if defined(__aarch64__) && defined(__linux__)
extern const AttentionKernel kNeonAttention;
#endif

}  // namespace bindrt::native
