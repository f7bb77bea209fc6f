// The CUDA language for a C++ compiler: what a .cu of ours finds when the simulator compiles it. The
// wrapper that CMake makes for each .cu includes this first (CMakeLists.txt), then the .cu itself.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#define BINDRT_CUDASIM 1

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ [[gnu::always_inline]] inline
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))

// A block's static shared memory: one for all blocks, since they run one after the other. The scheduler
// finds it by its section, or, for the race check, as the program's thread-local memory: GCC drops the
// section of statics in templates, but not that they are thread-local. `used`, because
// it would take one that nothing writes for zeros.
#if defined(BINDRT_CUDASIM_RACE)
#define __shared__ static __thread __attribute__((used))
#else
#define __shared__ static __attribute__((used, section("simshared")))
#endif

// clang-format off: the order matters
#include "tests/cudasim/vector_types.h"
// clang-format on
#include "tests/cudasim/atomics.h"
#include "tests/cudasim/intrinsics.h"
#include "tests/cudasim/warp.h"

// Set before a thread runs, at every switch.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern uint3 blockDim;
extern uint3 gridDim;
constexpr int warpSize = 32;
