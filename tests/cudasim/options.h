// How a run is scheduled: from the environment variable BINDRT_CUDASIM, so that one program serves for all,
// e.g. BINDRT_CUDASIM=order=random,seed=7,poison=0x5a,switch=5.
#pragma once

#include <cstdint>
#include <string_view>

namespace bindrt::cudasim {

enum class Order { kForward, kReverse, kRandom };

struct Options {
  Order order = Order::kForward;   // of blocks, and of the threads that can run
  std::uint64_t seed = 1;          // of random orders and switches
  std::uint8_t poison = 0xFF;      // fills memory whose content is not defined; 0xFF makes NaN and -1
  std::uint32_t switch_every = 0;  // race check only: a switch at one memory access in so many; 0: none
};

// std::invalid_argument names what is wrong.
Options parse_options(std::string_view text);

// The process's options: those of the environment until `set_options`.
const Options& options();
void set_options(const Options& chosen);

// Numbers for schedules; the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {  // splitmix64
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31);
  }
  std::uint32_t below(std::uint32_t limit) {
    return static_cast<std::uint32_t>((next() >> 32) * limit >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace bindrt::cudasim
