// Calls an op's `one_case` with bytes from libFuzzer, or else from random numbers: PROGRAM [CASES [FIRST]].
// Case n is the same in every run; one alone is run again by `PROGRAM 1 N`.

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/cpp/stress.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bindrt::stress::Bytes bytes(data, size);
  bindrt::stress::one_case(bytes);
#if defined(BINDRT_LIBFUZZER)
  if (bindrt::testing::tally().failures.load() > 0) {
    std::abort();
  }
#endif
  return 0;
}

#if !defined(BINDRT_LIBFUZZER)
namespace {

constexpr int kMostFailures = 10;

std::uint64_t running;  // the case

void tell_case() { std::fprintf(stderr, "in case %" PRIu64 "\n", running); }

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t cases = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 300;
  const std::uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
#if defined(BINDRT_STRESS_ASAN)
  __sanitizer_set_death_callback(&tell_case);
#endif
  std::array<std::uint8_t, 512> bytes;
  std::uint64_t done = 0;
  for (; done < cases && bindrt::testing::tally().failures.load() < kMostFailures; ++done) {
    running = first + done;
    std::mt19937_64 random(running);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random() >> 32);
    }
    const int before = bindrt::testing::tally().failures.load();
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    if (bindrt::testing::tally().failures.load() > before) {
      tell_case();
    }
  }
  std::printf("%" PRIu64 " cases\n", done);
  return bindrt::testing::finish();
}
#endif
