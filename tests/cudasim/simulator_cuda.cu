// Kernels that use each operation of the simulator, rightly and wrongly.
#include "kernels/base/cuda/device.h"
#include "tests/cudasim/simulator_params.h"

namespace {

using namespace bindrt::cudasim::simulator;
using namespace bindrt::kernels;

__device__ __forceinline__ int thread() { return static_cast<int>(threadIdx.x); }

// A copy for each type: GCC gives these no section, so the race build alone knows that they are shared.
template <class T>
__device__ __forceinline__ T from_opposite(T value) {
  __shared__ T values[64];
  values[threadIdx.x] = value;
  __syncthreads();
  const T got = values[blockDim.x - 1 - threadIdx.x];
  __syncthreads();
  return got;
}

template <class T>
__device__ __forceinline__ T unwritten() {
  __shared__ T values[64];
  return values[threadIdx.x];
}

}  // namespace

// Each lane of one warp writes what it got from kOperations operations: out [32, kOperations].
extern "C" __global__ void bindrt_simulator_warp(Params p) {
  const int lane = thread();
  const unsigned all = cuda::kAllLanes;
  int* const out = p.out + lane * kOperations;
  out[0] = __shfl_sync(all, lane * 10, 3);
  out[1] = __shfl_sync(all, lane * 10, 5, 8);
  out[2] = __shfl_up_sync(all, lane, 2);
  out[3] = __shfl_down_sync(all, lane, 3, 16);
  out[4] = __shfl_xor_sync(all, lane, 1);
  out[5] = static_cast<int>(__ballot_sync(all, lane % 3 == 0));
  out[6] = __all_sync(all, lane < 31);
  out[7] = __any_sync(all, lane == 31);
  out[8] = static_cast<int>(__match_any_sync(all, lane / 5));
  out[9] = static_cast<int>(__shfl_xor_sync(all, 1.5 * lane, 16));
  // half of the warp, while the other half does something else
  if (lane < 16) {
    out[10] = __shfl_sync(0x0000FFFFU, lane, 15);
  } else {
    out[10] = __popc(__ballot_sync(0xFFFF0000U, lane % 2));
  }
  __syncwarp();
  out[11] = cuda::warp_reduce(lane, cuda::Max());
}

// Lanes that have returned are not waited for: lanes 8 to 31 return first.
extern "C" __global__ void bindrt_simulator_early_return(Params p) {
  if (thread() >= 8) {
    return;
  }
  p.out[thread()] = static_cast<int>(__ballot_sync(cuda::kAllLanes, 1));
}

// out [blocks, threads]: sums of the block's numbers of its own, by all three reductions of a barrier.
extern "C" __global__ void bindrt_simulator_block(Params p) {
  __shared__ int partial[32];
  const int total = cuda::block_reduce(thread(), partial, cuda::Sum());
  const int odd = __syncthreads_count(thread() % 2);
  const int any = __syncthreads_or(thread() == 40);
  const int all = __syncthreads_and(thread() == 40);
  const int opposite = from_opposite(thread()) + static_cast<int>(from_opposite(0.5F));
  p.out[cuda::grid_thread()] = total * 1000 + odd * 100 + any * 10 + all + opposite * 10000000;
}

// out [9]: atomic operations by all threads of all blocks; the caller gives the first values.
extern "C" __global__ void bindrt_simulator_atomics(Params p) {
  const int number = static_cast<int>(cuda::grid_thread());
  atomicAdd(&p.out[0], number);
  atomicMin(&p.out[1], number);
  atomicMax(&p.out[2], number);
  atomicOr(&p.out[3], 1 << (number % 20));
  atomicAnd(&p.out[4], ~(1 << (number % 20)));
  atomicSub(&p.out[5], number);
  atomicXor(&p.out[6], number);
  atomicAdd(reinterpret_cast<float*>(&p.out[7]), 0.5F);
  int seen = p.misuse == Misuse::kNone ? 0 : -1;
  for (int expected = -1; seen != expected;) {  // by hand
    expected = seen;
    seen = atomicCAS(&p.out[8], expected, expected + 2);
  }
}

// Threads that are not ordered, or are: 64 of them, in one block or two.
extern "C" __global__ void bindrt_simulator_conflict(ConflictParams p) {
  __shared__ int values[64];
  const int me = thread();
  const int other = me ^ 1;  // of the same warp
  int got = 0;
  if (p.conflict != Conflict::kUnwrittenShared) {
    values[me] = me;
    __syncthreads();
  }
  switch (p.conflict) {
    case Conflict::kNone:
      got = values[63 - me];
      break;
    case Conflict::kWriteThenRead:
      values[me] = 1;
      got = values[other];
      break;
    case Conflict::kReadThenWrite:
      got = values[other];
      values[me] = got;
      break;
    case Conflict::kTwoWrites:
      values[me / 2] = 5;
      break;
    case Conflict::kTwoBlocks:
      break;  // below
    case Conflict::kAtomicThenRead:
      atomicAdd(&values[me], 1);
      got = values[other];
      break;
    case Conflict::kAcrossShuffle:
      values[me] = 1;
      got = __shfl_sync(cuda::kAllLanes, me, 0) + values[other];
      break;
    case Conflict::kAcrossWarpSync:
      values[me] = 1;
      __syncwarp();
      got = values[other];
      break;
    case Conflict::kAcrossWarps:
      values[me] = 1;
      __syncwarp();
      got = values[63 - me];
      break;
    case Conflict::kUnwrittenShared:
      got = values[me];
      break;
    case Conflict::kUnwrittenInTemplate:
      got = static_cast<int>(unwritten<float>());
      break;
    case Conflict::kUnwrittenGlobal:
      got = p.out[me];
      break;
  }
  if (p.conflict == Conflict::kTwoBlocks || blockIdx.x == 0) {
    p.out[me] = got;
  }
}

extern "C" __global__ void bindrt_simulator_misuse(Params p) {
  const int lane = thread();
  switch (p.misuse) {
    case Misuse::kBarrierInOneBranch:
      if (lane < 5) {
        __syncthreads();
      } else {
        __syncwarp(0xFFFFFFFFU);
      }
      break;
    case Misuse::kTwoBarriers:
      if (lane < 5) {
        __syncthreads();
      } else {
        __syncthreads();
      }
      break;
    case Misuse::kBarrierAfterReturn:
      if (lane < 5) {
        return;
      }
      __syncthreads();
      break;
    case Misuse::kShuffleInOneBranch:
      if (lane < 5) {
        p.out[lane] = __shfl_sync(cuda::kAllLanes, lane, 0);
      } else {
        __syncthreads();
      }
      break;
    case Misuse::kTwoOperations:
      if (lane < 5) {
        p.out[lane] = __shfl_sync(cuda::kAllLanes, lane, 0);
      } else {
        p.out[lane] = __any_sync(cuda::kAllLanes, lane);
      }
      break;
    case Misuse::kTwoMasks:
      p.out[lane] = __any_sync(lane < 5 ? 0xFFFFFFFFU : 0xFFFFFFF0U, lane);
      break;
    case Misuse::kNotInOwnMask:
      p.out[lane] = __any_sync(0xFFFFU, lane);
      break;
    case Misuse::kShuffleFromAbsentLane:
      if (lane < 5) {
        p.out[lane] = __shfl_sync(0x1FU, lane, 7);
      }
      break;
    case Misuse::kOddWidth:
      p.out[lane] = __shfl_sync(cuda::kAllLanes, lane, 0, 12);
      break;
    case Misuse::kTrap:
      if (lane == 3) {
        __trap();
      }
      break;
    case Misuse::kMisalignedAtomic:
      atomicAdd(reinterpret_cast<int*>(reinterpret_cast<char*>(p.out) + 2), 1);
      break;
    case Misuse::kNone:
      break;
  }
}
