// Which instruction set a kernel uses: one build serves every machine, and tests compare the levels.
//
// A kernel's arithmetic is written once as an always-inlined function, and compiled for each level by
// a caller that carries the level's target attribute:
//
//   BINDRT_INLINE void body(const Args& args) { ... }
//   BINDRT_AVX2 void run_avx2(const Args& args) { body(args); }
//   BINDRT_AVX512 void run_avx512(const Args& args) { body(args); }
//   void run_baseline(const Args& args) { body(args); }
//   void run(const Args& args) { choose(&run_baseline, &run_avx2, &run_avx512)(args); }
#pragma once

#include <string_view>

namespace bindrt::kernels {

enum class CpuLevel : int { kBaseline = 0, kAvx2 = 1, kAvx512 = 2 };

// The best level of this processor, or a lower one that was asked for by `limit_cpu_level`.
CpuLevel cpu_level() noexcept;

// Use at most this level from now on, in the whole process; for tests. A level that the processor
// does not have is lowered to the best it has; returns the level now in use.
CpuLevel limit_cpu_level(CpuLevel level) noexcept;

std::string_view cpu_level_name(CpuLevel level) noexcept;  // "baseline", "avx2", "avx512"

#define BINDRT_INLINE [[gnu::always_inline]] inline
// Stands before a loop in which no turn writes what another turn reads.
#if defined(__clang__)
#define BINDRT_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define BINDRT_INDEPENDENT _Pragma("GCC ivdep")
#endif
#if defined(__x86_64__)
#define BINDRT_AVX2 [[gnu::target("avx2,fma,bmi2,f16c")]]
#define BINDRT_AVX512_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,bmi2,f16c"
#if defined(__clang__)
#define BINDRT_AVX512 [[gnu::target(BINDRT_AVX512_TARGET), clang::min_vector_width(512)]]
#else
#define BINDRT_AVX512 [[gnu::target(BINDRT_AVX512_TARGET ",prefer-vector-width=512")]]
#endif
#else  // the compiler's baseline has NEON; the other levels are never chosen
#define BINDRT_AVX2
#define BINDRT_AVX512
#endif

// The function of the level in use.
template <class Function>
Function choose(Function baseline, Function avx2, Function avx512) noexcept {
  switch (cpu_level()) {
    case CpuLevel::kAvx512:
      return avx512;
    case CpuLevel::kAvx2:
      return avx2;
    case CpuLevel::kBaseline:
      break;
  }
  return baseline;
}

}  // namespace bindrt::kernels
