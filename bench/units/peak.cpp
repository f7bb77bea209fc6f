// What the processor's arithmetic units and its memory can do at most, for `bench engines`: bare loops over
// registers, and one reading pass over memory. Compiled by bench/units when it is needed.
//
//   peak THREADS BYTES SECONDS   →  a line of JSON: operations a second of each type, bytes read a second

#include <algorithm>
#include <barrier>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kernels/base/cpu_features.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace {

constexpr int kRepeats = 5;        // of each measurement; the fastest counts, since it is a limit
constexpr int kAccumulators = 12;  // independent sums, more than latency times units of any processor here

volatile float sink;  // results go here, so that no loop is left out

// A loop over registers: `rounds` times kAccumulators (tiles: four) instructions.
struct Unit {
  const char* type;
  const char* name;
  std::vector<std::string_view> features;
  double operations;  // of a round; a multiply-add is two
  void (*loop)(std::int64_t rounds);
};

#if defined(__x86_64__)

// The macro writes the same loop for each instruction: sums[i] = STEP(sums[i], a, b).
#define BARE_LOOP(NAME, TARGET, SUM, ZERO, VALUE, INPUT, STEP, FIRST) \
  __attribute__((target(TARGET))) void NAME(std::int64_t rounds) {    \
    SUM sums[kAccumulators];                                          \
    for (auto& sum : sums) sum = ZERO;                                \
    INPUT a = VALUE, b = VALUE;                                       \
    for (std::int64_t r = 0; r < rounds; ++r) {                       \
      __asm__ volatile("" : "+v"(a), "+v"(b));                        \
      _Pragma("GCC unroll 12") for (auto& sum : sums) sum = STEP;     \
    }                                                                 \
    float total = 0;                                                  \
    for (auto& sum : sums) total += FIRST;                            \
    sink = total;                                                     \
  }

BARE_LOOP(fma_ymm, "avx2,fma", __m256, _mm256_setzero_ps(), _mm256_set1_ps(0.5F), __m256,
          _mm256_fmadd_ps(a, b, sum), _mm256_cvtss_f32(sum))
BARE_LOOP(fma_zmm, "avx512f", __m512, _mm512_setzero_ps(), _mm512_set1_ps(0.5F), __m512,
          _mm512_fmadd_ps(a, b, sum), _mm512_cvtss_f32(sum))
BARE_LOOP(dpbf16_zmm, "avx512f,avx512bf16", __m512, _mm512_setzero_ps(), _mm512_set1_epi32(0x3f003f00),
          __m512i, _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b)),
          _mm512_cvtss_f32(sum))
BARE_LOOP(dpbusd_ymm, "avx2,avxvnni", __m256i, _mm256_setzero_si256(), _mm256_set1_epi8(1), __m256i,
          _mm256_dpbusd_avx_epi32(sum, a, b), static_cast<float>(_mm256_extract_epi32(sum, 0)))
BARE_LOOP(dpbusd_zmm, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), _mm512_set1_epi8(1), __m512i,
          _mm512_dpbusd_epi32(sum, a, b), static_cast<float>(_mm512_cvtsi512_si32(sum)))

// Linux gives a process tiles when it asks for them: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
bool may_use_tiles() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

// All eight tiles of 16 rows of 64 bytes.
__attribute__((target("amx-tile"))) void configure_tiles() {
  struct alignas(64) {
    std::uint8_t palette = 1, start = 0, reserved[14] = {};
    std::uint16_t columns[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } configuration;
  static_assert(sizeof(configuration) == 64);
  _tile_loadconfig(&configuration);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
}

#define TILE_LOOP(NAME, TARGET, STEP)                              \
  __attribute__((target(TARGET))) void NAME(std::int64_t rounds) { \
    configure_tiles();                                             \
    for (std::int64_t r = 0; r < rounds; ++r) {                    \
      STEP(0, 4, 6);                                               \
      STEP(1, 4, 7);                                               \
      STEP(2, 5, 6);                                               \
      STEP(3, 5, 7);                                               \
    }                                                              \
    _tile_release();                                               \
  }

TILE_LOOP(dpbf16_tiles, "amx-tile,amx-bf16", _tile_dpbf16ps)
TILE_LOOP(dpbusd_tiles, "amx-tile,amx-int8", _tile_dpbusd)

// The widest first.
const std::vector<Unit> kUnits = {
    {"fp32", "AVX-512 multiply-add", {"avx512f"}, 2.0 * 16 * kAccumulators, fma_zmm},
    {"fp32", "AVX2 multiply-add", {"avx2", "fma"}, 2.0 * 8 * kAccumulators, fma_ymm},
    {"bf16", "AMX tiles", {"amx_bf16"}, 2.0 * 16 * 16 * 32 * 4, dpbf16_tiles},
    {"bf16", "AVX-512 dot product of bf16", {"avx512bf16"}, 2.0 * 32 * kAccumulators, dpbf16_zmm},
    {"int8", "AMX tiles", {"amx_int8"}, 2.0 * 16 * 16 * 64 * 4, dpbusd_tiles},
    {"int8", "AVX-512 VNNI", {"avx512vnni"}, 2.0 * 64 * kAccumulators, dpbusd_zmm},
    {"int8", "AVX-VNNI", {"avx_vnni"}, 2.0 * 32 * kAccumulators, dpbusd_ymm},
};

#elif defined(__aarch64__)

bool may_use_tiles() { return false; }

// Assembler, since compilers need options of their own for the newer instructions: sums v0 to v11.
#define BARE_LOOP(NAME, EXTENSION, STEP)                                                                    \
  void NAME(std::int64_t rounds) {                                                                          \
    for (std::int64_t r = 0; r < rounds; ++r) {                                                             \
      __asm__ volatile(EXTENSION STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8)    \
                           STEP(9) STEP(10) STEP(11)::                                                      \
                               : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11"); \
    }                                                                                                       \
  }

#define FMLA(N) "fmla v" #N ".4s, v30.4s, v31.4s\n"
#define BFMMLA(N) "bfmmla v" #N ".4s, v30.8h, v31.8h\n"
#define SMMLA(N) "smmla v" #N ".4s, v30.16b, v31.16b\n"
#define SDOT(N) "sdot v" #N ".4s, v30.16b, v31.16b\n"
BARE_LOOP(fmla, "", FMLA)
BARE_LOOP(bfmmla, ".arch_extension bf16\n", BFMMLA)
BARE_LOOP(smmla, ".arch_extension i8mm\n", SMMLA)
BARE_LOOP(sdot, ".arch_extension dotprod\n", SDOT)

const std::vector<Unit> kUnits = {
    {"fp32", "NEON multiply-add", {"neon"}, 2.0 * 4 * kAccumulators, fmla},
    {"bf16", "NEON matrix product of bf16", {"bf16"}, 2.0 * 16 * kAccumulators, bfmmla},
    {"int8", "NEON matrix product of int8", {"i8mm"}, 2.0 * 32 * kAccumulators, smmla},
    {"int8", "NEON dot product of int8", {"dotprod"}, 2.0 * 16 * kAccumulators, sdot},
};

#else

bool may_use_tiles() { return false; }
const std::vector<Unit> kUnits = {};

#endif

bool usable(const Unit& unit) {
  const bool present = std::all_of(unit.features.begin(), unit.features.end(), [](std::string_view name) {
    return bindrt::kernels::has_cpu_feature(name);
  });
  return present && (unit.features.front().substr(0, 3) != "amx" || may_use_tiles());
}

// Seconds of processor time, so that other programs do not count.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The seconds that all threads together need for `work(thread)`: of each its fastest, and then the slowest
// thread's. They begin each repeat at the same moment.
double fastest(int threads, const std::function<void(int)>& work) {
  std::vector<double> seconds(static_cast<std::size_t>(threads), 1e30);
  for (int i = 0; i < kRepeats; ++i) {
    std::barrier begin(threads);
    std::vector<std::thread> started;
    for (int t = 0; t < threads; ++t) {
      started.emplace_back([&, t] {
        begin.arrive_and_wait();
        const double start = processor_seconds();
        work(t);
        double& mine = seconds[static_cast<std::size_t>(t)];
        mine = std::min(mine, processor_seconds() - start);
      });
    }
    for (std::thread& thread : started) thread.join();
  }
  return *std::max_element(seconds.begin(), seconds.end());
}

double operations_a_second(const Unit& unit, int threads, double wanted) {
  std::int64_t rounds = 1 << 12;
  while (fastest(1, [&](int) { unit.loop(rounds); }) < wanted / 4) rounds *= 2;
  const double seconds = fastest(threads, [&](int) { unit.loop(rounds); });
  return unit.operations * static_cast<double>(rounds) * threads / seconds;
}

double bytes_read_a_second(int threads, std::int64_t bytes) {
  const std::int64_t words = bytes / threads / 8;
  std::vector<std::unique_ptr<std::uint64_t[]>> parts;
  for (int t = 0; t < threads; ++t) {
    parts.emplace_back(new std::uint64_t[static_cast<std::size_t>(words)]);
    std::iota(parts.back().get(), parts.back().get() + words, 0);
  }
  const double seconds = fastest(threads, [&](int t) {
    const std::uint64_t* part = parts[static_cast<std::size_t>(t)].get();
    std::uint64_t sums[32] = {};  // becomes vectors
    for (std::int64_t i = 0; i + 32 <= words; i += 32) {
      for (int j = 0; j < 32; ++j) sums[j] += part[i + j];
    }
    sink = static_cast<float>(std::accumulate(sums, sums + 32, std::uint64_t{0}));
  });
  return static_cast<double>(words * 8 * threads) / seconds;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: peak THREADS BYTES SECONDS\n");
    return 2;
  }
  const int threads = std::max(1, std::atoi(arguments[1]));
  const double seconds = std::atof(arguments[3]);
  std::printf("{\"threads\": %d, \"units\": {", threads);
  std::string seen;
  for (const Unit& unit : kUnits) {
    if (seen.find(unit.type) != std::string::npos || !usable(unit)) continue;
    std::printf("%s\"%s\": {\"name\": \"%s\", \"operations_per_second\": %.4g}", seen.empty() ? "" : ", ",
                unit.type, unit.name, operations_a_second(unit, threads, seconds));
    seen += unit.type;
  }
  std::printf("}, \"bytes_per_second\": %.4g}\n", bytes_read_a_second(threads, std::atoll(arguments[2])));
  return 0;
}
