// Parameters of the kernels that test the simulator itself.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::cudasim::simulator {

enum class Misuse : std::int32_t {
  kNone,
  kBarrierInOneBranch,
  kTwoBarriers,
  kBarrierAfterReturn,
  kShuffleInOneBranch,
  kTwoOperations,
  kTwoMasks,
  kNotInOwnMask,
  kShuffleFromAbsentLane,
  kOddWidth,
  kTrap,
  kMisalignedAtomic,
};

struct Params {
  std::int32_t* out;  // [gridDim.x * blockDim.x] numbers, or what the kernel says
  Misuse misuse;
};

enum class Conflict : std::int32_t {
  kNone,
  kWriteThenRead,
  kReadThenWrite,
  kTwoWrites,
  kTwoBlocks,
  kAtomicThenRead,
  kAcrossShuffle,   // which orders no memory accesses
  kAcrossWarpSync,  // which does, within a warp
  kAcrossWarps,
  kUnwrittenShared,
  kUnwrittenInTemplate,
  kUnwrittenGlobal,
};

struct ConflictParams {
  std::int32_t* out;  // [64], unwritten
  Conflict conflict;
};

// Values that each lane gets from the operations of a warp.
constexpr int kOperations = 12;

}  // namespace bindrt::cudasim::simulator
