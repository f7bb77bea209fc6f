// Barriers and warp operations, as functions of the scheduler.
#pragma once

#include <bit>
#include <cstdint>
#include <source_location>
#include <type_traits>

namespace bindrt::cudasim {

using Where = std::source_location;

// What the lanes of a warp meet for.
enum class WarpOp : int {
  kSync,
  kShuffle,
  kShuffleUp,
  kShuffleDown,
  kShuffleXor,
  kBallot,
  kAll,
  kAny,
  kMatchAny
};

// What all threads of a block meet for.
enum class BlockOp : int { kSync, kCount, kAnd, kOr };

void* dynamic_shared();
int block_barrier(BlockOp op, int predicate, const Where& where);

// Meets the lanes of `mask`. `value` is what this lane brings, as bits; `operand` the lane or distance and
// `width` the segment of a shuffle. Returns what this lane gets.
std::uint64_t warp_meet(WarpOp op, unsigned mask, std::uint64_t value, int operand, int width,
                        const Where& where);
[[noreturn]] void trap(const Where& where);
unsigned lanes_running();

template <class T>
T shuffle(WarpOp op, unsigned mask, T value, int operand, int width, const Where& where) {
  static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "CUDA shuffles 32 or 64 bits");
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const std::uint64_t got = warp_meet(op, mask, std::bit_cast<Bits>(value), operand, width, where);
  return std::bit_cast<T>(static_cast<Bits>(got));
}

}  // namespace bindrt::cudasim

#define BINDRT_WHERE const ::bindrt::cudasim::Where& where = ::bindrt::cudasim::Where::current()

inline void __syncthreads(BINDRT_WHERE) {
  ::bindrt::cudasim::block_barrier(::bindrt::cudasim::BlockOp::kSync, 0, where);
}
inline int __syncthreads_count(int predicate, BINDRT_WHERE) {
  return ::bindrt::cudasim::block_barrier(::bindrt::cudasim::BlockOp::kCount, predicate, where);
}
inline int __syncthreads_and(int predicate, BINDRT_WHERE) {
  return ::bindrt::cudasim::block_barrier(::bindrt::cudasim::BlockOp::kAnd, predicate, where);
}
inline int __syncthreads_or(int predicate, BINDRT_WHERE) {
  return ::bindrt::cudasim::block_barrier(::bindrt::cudasim::BlockOp::kOr, predicate, where);
}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFU, BINDRT_WHERE) {
  ::bindrt::cudasim::warp_meet(::bindrt::cudasim::WarpOp::kSync, mask, 0, 0, 32, where);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, BINDRT_WHERE) {
  return static_cast<unsigned>(
      ::bindrt::cudasim::warp_meet(::bindrt::cudasim::WarpOp::kBallot, mask, predicate != 0, 0, 32, where));
}
inline int __all_sync(unsigned mask, int predicate, BINDRT_WHERE) {
  return static_cast<int>(
      ::bindrt::cudasim::warp_meet(::bindrt::cudasim::WarpOp::kAll, mask, predicate != 0, 0, 32, where));
}
inline int __any_sync(unsigned mask, int predicate, BINDRT_WHERE) {
  return static_cast<int>(
      ::bindrt::cudasim::warp_meet(::bindrt::cudasim::WarpOp::kAny, mask, predicate != 0, 0, 32, where));
}
template <class T>
unsigned __match_any_sync(unsigned mask, T value, BINDRT_WHERE) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return static_cast<unsigned>(::bindrt::cudasim::warp_meet(::bindrt::cudasim::WarpOp::kMatchAny, mask,
                                                            std::bit_cast<Bits>(value), 0, 32, where));
}
template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32, BINDRT_WHERE) {
  return ::bindrt::cudasim::shuffle(::bindrt::cudasim::WarpOp::kShuffle, mask, value, lane, width, where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32, BINDRT_WHERE) {
  return ::bindrt::cudasim::shuffle(::bindrt::cudasim::WarpOp::kShuffleUp, mask, value,
                                    static_cast<int>(distance), width, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32, BINDRT_WHERE) {
  return ::bindrt::cudasim::shuffle(::bindrt::cudasim::WarpOp::kShuffleDown, mask, value,
                                    static_cast<int>(distance), width, where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, BINDRT_WHERE) {
  return ::bindrt::cudasim::shuffle(::bindrt::cudasim::WarpOp::kShuffleXor, mask, value, lane_mask, width,
                                    where);
}
inline unsigned __activemask() { return ::bindrt::cudasim::lanes_running(); }
[[noreturn]] inline void __trap(BINDRT_WHERE) { ::bindrt::cudasim::trap(where); }

// Memory is sequentially consistent here: nothing to do, and a missing fence is not found.
inline void __threadfence() {}
inline void __threadfence_block() {}
