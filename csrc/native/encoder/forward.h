// One pass through an encoder: a group of sequences, whose rows lie one after the other.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "csrc/native/encoder/parts.h"
#include "csrc/native/encoder/workspace.h"
#include "csrc/native/team.h"

namespace bindrt::native {

// Where the time goes; for measuring.
enum class Phase { kStem, kNorm, kQkv, kAttention, kOut, kUp, kQuantise, kDown, kHead, kCount };
using PhaseTimes = std::array<double, static_cast<std::size_t>(Phase::kCount)>;  // seconds

// What goes in: views, or ids that the caller has checked.
struct Inputs {
  const float* views = nullptr;       // [sequences, view]
  const std::int64_t* ids = nullptr;  // [sequences, length]
  std::int64_t length = 0;
};

class Forward {
 public:
  // `space.starts` tells the sequences. Takes memory; throws std::bad_alloc.
  Forward(const Parts& parts, Workspace& space, const Inputs& inputs, float* output, int threads,
          PhaseTimes* times);
  void operator()(Member& member);

 private:
  std::int64_t sequences() const { return static_cast<std::int64_t>(space_.starts.size()) - 1; }
  std::int64_t length(std::int64_t sequence) const;
  void take_memory(int threads);
  std::int64_t activation_bytes() const;

  void look_up(Member& member);
  void cut_patches(Member& member);
  void place_patches(Member& member);
  void block(Member& member, const Block& block);
  void last_block(Member& member, const Block& block);
  void attention(Member& member, const Block& block, bool last);
  void mlp(Member& member, const Block& block, float* rows_of, std::int64_t rows);
  void take_pooled(Member& member);
  void head(Member& member);
  void unit_length(float* vector) const;

  // Rows of a residual stream, normed, as `linear` reads them.
  RowsOut normed(Member& member, const float* from, std::int64_t rows, const NormWeights& norm,
                 const Linear& linear);
  // Rows in the type of qkv and hidden, as `linear` reads them.
  RowsOut converted(Member& member, const void* from, std::int64_t stride, std::int64_t rows,
                    const Linear& linear);
  Target to_inner(Buffer& buffer, std::int64_t numbers, After after) const;  // qkv, hidden
  Target to_residual(float* rows) const;
  std::int64_t inner_stride(std::int64_t numbers) const;
  std::int64_t grain(const Member& member, std::int64_t rows, std::int64_t numbers) const;
  void passed(Member& member, Phase phase);

  const Parts& parts_;
  Workspace& space_;
  const Inputs inputs_;
  float* const output_;
  std::int64_t rows_;
  std::int64_t residual_stride_;    // numbers
  std::int64_t scratch_bytes_ = 0;  // of a member
  PhaseTimes* const times_;
  std::chrono::steady_clock::time_point since_;
};

}  // namespace bindrt::native
